// Memory of a server of which most models come and go: what loading them takes, how much of it comes back when they are unloaded,
// and whether it grows from round to round.

import { TestClient } from '../../runtime/e2e/harness/test-client.js';
import { cleaningUp, stop } from '../cleanup.js';
import type { Say } from '../command/run-bench.js';
import { processStatus } from '../processes/process-status.js';
import { ServedProcess } from '../processes/served-process.js';
import type { Allocator } from './allocator.js';
import { callForAll, wrongAnswers } from './fleet-calls.js';
import type { FleetModel } from './model-fleet.js';
import { settled } from './settled.js';

export interface ChurnTask {
  readonly repository: string;
  readonly models: readonly FleetModel[];
  /** How many of the models, the first, stay all the time. */
  readonly staying: number;
  readonly rounds: number;
  readonly allocator: Allocator;
}

export interface ChurnFigures {
  readonly allocator: string;
  /** Resident bytes with only the models that stay, before any other was loaded. */
  readonly stayingBytes: number;
  readonly rounds: readonly ChurnRound[];
  /** After the last round. */
  readonly wrongAnswers: number;
}

export interface ChurnRound {
  readonly loadMs: number;
  readonly loadedBytes: number;
  readonly unloadMs: number;
  readonly unloadedBytes: number;
}

export function measureChurn(task: ChurnTask, say: Say): Promise<ChurnFigures> {
  const { repository, models, staying, rounds, allocator } = task;
  return cleaningUp(async (cleanup) => {
    const stay = models.slice(0, staying);
    const others = models.slice(staying);
    const names = stay.map(({ name }) => `--load-model=${name}`);
    const flags = ['--model-control-mode=explicit', ...names];
    const settings = { flags, env: allocator.env };
    const server = cleanup.enter(await ServedProcess.inferd(repository, settings), stop);
    const client = cleanup.enter(new TestClient(server.grpcPort), (it) => it.close());
    const resident = async (): Promise<number> => {
      await settled();
      return processStatus(server.pid).residentBytes;
    };
    const stayingBytes = await resident();
    const done: ChurnRound[] = [];
    while (done.length < rounds) {
      const loadMs = await callForAll(client, 'RepositoryModelLoad', others);
      const loadedBytes = await resident();
      const unloadMs = await callForAll(client, 'RepositoryModelUnload', others);
      const unloadedBytes = await resident();
      done.push({ loadMs, loadedBytes, unloadMs, unloadedBytes });
      say(`${allocator.name}, round ${done.length}: ${roundText(done.at(-1)!)}`);
    }
    const wrong = await wrongAnswers(server.grpcPort, stay);
    return { allocator: allocator.name, stayingBytes, rounds: done, wrongAnswers: wrong };
  });
}

function roundText({ loadMs, loadedBytes, unloadedBytes }: ChurnRound): string {
  const [loaded, unloaded] = [loadedBytes, unloadedBytes].map((bytes) =>
    Math.round(bytes / 2 ** 20),
  );
  return `${loaded} MiB loaded (in ${(loadMs / 1000).toFixed(1)} s), ${unloaded} MiB unloaded`;
}
