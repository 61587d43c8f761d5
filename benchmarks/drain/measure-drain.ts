// Servers that are stopped under load, again and again, and what their callers see of it.

import { setTimeout as sleep } from 'node:timers/promises';
import { cleaningUp, stop } from '../cleanup.js';
import { ServedProcess } from '../processes/served-process.js';
import type { Point } from '../works/work.js';
import type { FailedCall } from './call-outcome.js';
import { PlainCallers } from './plain-callers.js';

export interface DrainTask {
  readonly repository: string;
  readonly flags: readonly string[];
  readonly message: Buffer;
  readonly point: Point;
  /** Another server that callers can go to, by its port. */
  readonly otherPort: number | undefined;
}

export interface DrainFigures {
  readonly answered: number;
  readonly failures: readonly FailedCall[];
  /** From SIGTERM to the end of the process. */
  readonly stopMs: number;
  /** Exit code, or the signal that has ended it. */
  readonly exit: number | string;
}

/** From the first requests to SIGTERM; not the same every time, so that it comes at any moment. */
const LEAST_LOAD_MS = 700;
const MOST_LOAD_MS = 1_000;
/** Callers that have another server go on so long after the end of the first. */
const AFTERWARDS_MS = 300;

export function measureDrain(task: DrainTask): Promise<DrainFigures> {
  const { repository, flags, message, point, otherPort } = task;
  return cleaningUp(async (cleanup) => {
    const server = cleanup.enter(await ServedProcess.inferd(repository, { flags }), stop);
    const ports = [server.grpcPort, ...(otherPort === undefined ? [] : [otherPort])];
    const target = `ipv4:${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
    const goOn = otherPort !== undefined;
    const callers = cleanup.enter(new PlainCallers({ target, message, point, goOn }), stop);
    await sleep(LEAST_LOAD_MS + Math.random() * (MOST_LOAD_MS - LEAST_LOAD_MS));
    const stoppingAt = performance.now();
    const exit = await server.stop();
    const stopMs = performance.now() - stoppingAt;
    if (goOn) await sleep(AFTERWARDS_MS);
    await callers.stop();
    return { answered: callers.answered, failures: callers.failures, stopMs, exit };
  });
}
