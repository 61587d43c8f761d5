// One point of load on the servers of a work. Repetition by repetition they are visited in turn, so that what the machine does
// meanwhile hits all of them; ratios are taken within a repetition.

import type { LoadResult } from './load/load.js';
import { median, ratioOf } from './median.js';
import { cpuUs, othersCpuUs } from './processes/cpu-time.js';
import {
  batchesBetween,
  countsGrownBy,
  modelCounts,
  type ModelCounts,
} from './processes/model-counts.js';
import type { ServedProcess } from './processes/served-process.js';
import type { PointFigures, ServerFigures } from './report/result.js';
import type { Stage } from './stage.js';
import { requestsAt, type Point } from './works/work.js';

interface Visit extends LoadResult {
  readonly cpuUs: number | undefined;
}

interface Repetition {
  readonly echo: Visit;
  readonly inferd: Visit;
  readonly rows: number;
  readonly executions: number;
  readonly ortRowsPerSecond: number | undefined;
}

/** A share of a repetition that is sent to each server before any is measured, and at least how much. */
const WARM_UP_SHARE = 1 / 8;
const FEWEST_TO_WARM_UP = 50;

/** @throws Error when a request was not answered, or was not a success by the server's own count */
export async function measurePoint(
  stage: Stage,
  point: Point,
  repetitions: number,
): Promise<PointFigures> {
  const visits = new PointVisits(stage, point);
  await visits.warmUp();
  const pids = [stage.echo, stage.inferd, stage.ort].flatMap((served) => served?.pid ?? []);
  const startedAt = performance.now();
  const othersBefore = othersCpuUs(pids);
  const done: Repetition[] = [];
  while (done.length < repetitions) done.push(await visits.repetition());
  const othersUs = (othersCpuUs(pids) ?? NaN) - (othersBefore ?? NaN);
  const othersCores = othersUs / 1000 / (performance.now() - startedAt);
  return { ...figuresOf(done), ...(!Number.isNaN(othersCores) && { othersCores }) };
}

// ---- details below; callers need not read ----

class PointVisits {
  readonly #stage: Stage;
  readonly #point: Point;
  readonly #requests: number;

  constructor(stage: Stage, point: Point) {
    this.#stage = stage;
    this.#point = point;
    this.#requests = requestsAt(stage.work, point);
  }

  async warmUp(): Promise<void> {
    const requests = Math.max(
      Math.round(this.#requests * WARM_UP_SHARE),
      Math.min(FEWEST_TO_WARM_UP, this.#requests),
    );
    await this.#load(this.#stage.echo, requests);
    const counts = await this.#countedLoad(requests);
    await this.#stage.ort?.rowsPerSecond(batchesBetween(counts.before, counts.after));
  }

  /** The loop over ONNX Runtime executes just the batches that the server has executed. */
  async repetition(): Promise<Repetition> {
    const echo = await this.#load(this.#stage.echo, this.#requests);
    const { before, after, visit } = await this.#countedLoad(this.#requests);
    const batches = batchesBetween(before, after);
    return {
      echo,
      inferd: visit,
      rows: [...batches].reduce((sum, [size, count]) => sum + size * count, 0),
      executions: [...batches.values()].reduce((sum, count) => sum + count, 0),
      ortRowsPerSecond: await this.#stage.ort?.rowsPerSecond(batches),
    };
  }

  async #countedLoad(
    requests: number,
  ): Promise<{ before: ModelCounts; after: ModelCounts; visit: Visit }> {
    const { client, work, inferd } = this.#stage;
    const read = (): Promise<ModelCounts> => modelCounts(client, work.name);
    const before = await read();
    const visit = await this.#load(inferd, requests);
    return { before, visit, after: await countsGrownBy(requests, before, read) };
  }

  async #load(server: ServedProcess, requests: number): Promise<Visit> {
    const { loader, bodyFile } = this.#stage;
    const cpuBefore = cpuUs(server.pid);
    const task = { port: server.grpcPort, bodyFile, point: this.#point, requests };
    const result = await loader.run(task);
    const cpuAfter = cpuUs(server.pid);
    const known = cpuBefore !== undefined && cpuAfter !== undefined;
    return { ...result, cpuUs: known ? (cpuAfter - cpuBefore) / requests : undefined };
  }
}

function figuresOf(done: readonly Repetition[]): PointFigures {
  const rate = (visits: readonly Visit[]): number[] =>
    visits.map(({ requestsPerSecond }) => requestsPerSecond);
  const echo = done.map((repetition) => repetition.echo);
  const inferd = done.map((repetition) => repetition.inferd);
  const ort = done.flatMap(({ ortRowsPerSecond }) => ortRowsPerSecond ?? []);
  const sum = (values: readonly number[]): number => values.reduce((total, n) => total + n, 0);
  return {
    echo: serverFigures(echo),
    inferd: serverFigures(inferd),
    toEcho: ratioOf(rate(inferd), rate(echo)),
    ...(ort.length > 0 && {
      ort: { rowsPerSecond: median(ort), ratio: ratioOf(rate(inferd), ort) },
    }),
    meanBatch: sum(done.map(({ rows }) => rows)) / sum(done.map(({ executions }) => executions)),
  };
}

function serverFigures(visits: readonly Visit[]): ServerFigures {
  const cpu = visits.flatMap(({ cpuUs: us }) => us ?? []);
  return {
    requestsPerSecond: median(visits.map(({ requestsPerSecond }) => requestsPerSecond)),
    p50Us: median(visits.map(({ p50Us }) => p50Us)),
    p99Us: median(visits.map(({ p99Us }) => p99Us)),
    ...(cpu.length > 0 && { cpuUs: median(cpu) }),
  };
}
