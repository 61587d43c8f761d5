// A batch from its requests to their answers: merged, run, divided, counted. What becomes of those of a batch that has failed is the
// scheduler's to say.

import type { ModelConfig } from '../config/model-config.js';
import type { Clock } from '../core/clock.js';
import { RuntimeError } from '../core/errors.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import { sameShapeTest } from './batch.js';
import { batchFormOf, type BatchForm } from './batch-form.js';
import type { BatchFeed, BatchResult, BatchRunner } from './batch-runner.js';
import { ComputeEstimate } from './compute-estimate.js';
import type { QueueEntry } from './queue-entry.js';

export interface BatchExecutionParts {
  readonly config: ModelConfig;
  /** Decimal text, as responses carry it. */
  readonly version: string;
  readonly runner: BatchRunner;
  readonly clock: Clock;
  readonly statistics: ModelStatistics;
}

/** Told of the requests of a batch that has failed; some may have been answered meanwhile. */
export type BatchFailed = (entries: readonly QueueEntry[], error: RuntimeError) => void;

/** How a scheduler has its batches run. */
export interface Execution {
  /** Batches under way. */
  readonly running: number;
  /** What a batch takes; 0 while that is not known. */
  readonly expectedMs: number;
  /** Only while an instance is idle. `entries` have been dispatched at the same time. */
  run(entries: readonly QueueEntry[]): void;
  /** Whether two requests may share a batch. */
  sameShape(a: QueueEntry, b: QueueEntry): boolean;
}

export class BatchExecution implements Execution {
  readonly #parts: BatchExecutionParts;
  readonly #failed: BatchFailed;
  readonly #form: BatchForm;
  readonly sameShape: (a: QueueEntry, b: QueueEntry) => boolean;
  readonly #estimate = new ComputeEstimate();
  #running = 0;

  constructor(parts: BatchExecutionParts, failed: BatchFailed) {
    this.#parts = parts;
    this.#failed = failed;
    this.#form = batchFormOf(parts.config);
    this.sameShape = sameShapeTest(parts.config);
  }

  get running(): number {
    return this.#running;
  }

  get expectedMs(): number {
    return this.#estimate.ms;
  }

  run(entries: readonly QueueEntry[]): void {
    const { clock, runner, statistics } = this.#parts;
    let feed: BatchFeed;
    try {
      feed = this.#form.merge(entries);
    } catch (thrown) {
      // It is too large for one buffer; each for itself may not be.
      const text = `a batch of ${entries.length} requests cannot be built: ${RuntimeError.from(thrown).message}`;
      this.#failed(entries, new RuntimeError('BACKEND_FAILED', text));
      return;
    }
    this.#running++;
    runner.run(feed).then(
      (result) => {
        this.#running--;
        this.#completed(entries, feed.rows, result);
      },
      (thrown: unknown) => {
        this.#running--;
        statistics.busyMs += clock.now() - entries[0]!.call.timings.dispatchedAt;
        this.#failed(entries, RuntimeError.from(thrown));
      },
    );
  }

  // ---- details below; callers need not read ----

  #completed(entries: readonly QueueEntry[], rows: number, result: BatchResult): void {
    const { clock, version, statistics } = this.#parts;
    const { dispatchedAt } = entries[0]!.call.timings;
    const now = clock.now();
    statistics.busyMs += now - dispatchedAt;
    this.#estimate.add(now - dispatchedAt);
    let responses;
    try {
      responses = this.#form.split(version, { entries, rows, result });
    } catch (thrown) {
      this.#failed(entries, RuntimeError.from(thrown));
      return;
    }
    const times = computeTimes(dispatchedAt, now, result);
    statistics.executed(rows, times);
    entries.forEach((entry, i) => {
      const { timings } = entry.call;
      timings.completedAt = times.completedAt;
      timings.batchSize = rows;
      timings.inputMs = times.inputMs;
      timings.inferMs = times.inferMs;
      timings.outputMs = times.outputMs;
      entry.succeed(responses[i]!);
    });
  }
}

/** The way to the thread and back is counted as input: with what the thread measured it makes up the whole. */
export function computeTimes(
  dispatchedAt: number,
  now: number,
  { inferMs, outputMs }: Pick<BatchResult, 'inferMs' | 'outputMs'>,
): { completedAt: number; inputMs: number; inferMs: number; outputMs: number } {
  const inputMs = Math.max(now - dispatchedAt - inferMs - outputMs, 0);
  return { completedAt: now, inputMs, inferMs, outputMs };
}
