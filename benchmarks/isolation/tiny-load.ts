// One request at a time to a tiny model, for a while, and how long each took.

import { closedLoop } from '../load/closed-loop.js';
import { percentile } from '../median.js';
import type { IsolationStage, TinyModel } from './isolation-stage.js';

export interface TinyFigures {
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

const ALONE = { connections: 1, streams: 1 };

/** @throws Error when a request fails */
export async function tinyLoad(
  { port }: IsolationStage,
  { body }: TinyModel,
  durationMs: number,
): Promise<TinyFigures> {
  const endAt = performance.now() + durationMs;
  const durations: number[] = [];
  let failure: string | undefined;
  await closedLoop(
    { port, body, point: ALONE },
    {
      wantsMore: () => failure === undefined && performance.now() < endAt,
      ended: (request) => {
        failure ??= request.failure;
        durations.push(request.endedAt - request.sentAt);
      },
    },
  );
  if (failure !== undefined) throw new Error(failure);
  const sorted = Float64Array.from(durations).sort();
  return {
    requests: sorted.length,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    longestMs: sorted.at(-1)!,
  };
}
