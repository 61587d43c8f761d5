// How soon a server has all of very many models ready, and what they take.

import { cleaningUp, stop } from '../cleanup.js';
import { processStatus } from '../processes/process-status.js';
import { ServedProcess } from '../processes/served-process.js';
import type { Allocator } from './allocator.js';
import { wrongAnswers } from './fleet-calls.js';
import type { FleetModel } from './model-fleet.js';
import { settled } from './settled.js';

export interface StartFigures {
  readonly allocator: string;
  /** From the start of the process until all models are ready. */
  readonly readyMs: number;
  readonly residentBytes: number;
  readonly threads: number;
  /** After each has answered a request. */
  readonly residentBytesUsed: number;
  readonly wrongAnswers: number;
}

export function measureStart(
  repository: string,
  models: readonly FleetModel[],
  { name, env }: Allocator,
): Promise<StartFigures> {
  return cleaningUp(async (cleanup) => {
    const flags = ['--model-control-mode=explicit', '--load-model=*'];
    const startedAt = performance.now();
    const server = cleanup.enter(await ServedProcess.inferd(repository, { flags, env }), stop);
    const readyMs = performance.now() - startedAt;
    await settled();
    const { residentBytes, threads } = processStatus(server.pid);
    const wrong = await wrongAnswers(server.grpcPort, models);
    await settled();
    const { residentBytes: residentBytesUsed } = processStatus(server.pid);
    return {
      allocator: name,
      readyMs,
      residentBytes,
      threads,
      residentBytesUsed,
      wrongAnswers: wrong,
    };
  });
}
