// A line in the log for every Nth request.

import type { Log } from '../core/log.js';
import type { FinishedRequest, RequestObserver } from '../core/request-observer.js';

export class AccessLog implements RequestObserver {
  readonly #log: Log;
  readonly #every: number;
  #count = 0;

  /** `every`: 1 for all requests, 100 for one in a hundred. */
  constructor(log: Log, every: number) {
    this.#log = log;
    this.#every = every;
  }

  requestFinished({ modelName, modelVersion, id, timings, endedAt, error }: FinishedRequest): void {
    if (++this.#count < this.#every) return;
    this.#count = 0;
    const { receivedAt, queuedAt, dispatchedAt, completedAt, batchSize } = timings;
    this.#log.info(
      {
        model: cut(modelName),
        version: modelVersion,
        ...(id !== '' && { id: cut(id) }),
        code: error?.code ?? 'OK',
        ms: rounded(endedAt - receivedAt),
        ...(dispatchedAt > 0 && { queueMs: rounded(dispatchedAt - queuedAt) }),
        ...(completedAt > 0 && { computeMs: rounded(completedAt - dispatchedAt), batchSize }),
        ...(timings.cached && { cached: true }),
      },
      'request',
    );
  }
}

/** To microseconds. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Callers choose how long they are. */
function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}

const LONGEST = 256;
