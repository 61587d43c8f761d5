import { describe, expect, it } from 'vitest';
import { Timings } from '../core/call.js';
import type { Log } from '../core/log.js';
import type { FinishedRequest } from '../core/request-observer.js';
import { startRequestObservers } from './request-observers.js';

const REQUEST: FinishedRequest = {
  modelName: 'm',
  modelVersion: '1',
  id: '',
  timings: new Timings(),
  legs: [],
  endedAt: 1,
  error: undefined,
  trace: undefined,
  metadata: () => undefined,
};

function aLog(info: () => void): { log: Log; errors: string[] } {
  const errors: string[] = [];
  const ignore = (): void => undefined;
  const error = (_fields: unknown, message: string): void => void errors.push(message);
  return { log: { debug: ignore, warn: ignore, info, error }, errors };
}

describe('observers of requests', () => {
  it('are nobody where nothing is asked for', async () => {
    const { log } = aLog(() => undefined);

    const { observer } = await startRequestObservers({ logEvery: 0, tracing: undefined }, log);

    expect(observer).toBeUndefined();
  });

  it('are the access log where it is asked for', async () => {
    let lines = 0;
    const { log } = aLog(() => lines++);

    const { observer, stop } = await startRequestObservers(
      { logEvery: 2, tracing: undefined },
      log,
    );
    for (let i = 0; i < 4; i++) observer!.requestFinished(REQUEST);
    await stop();

    expect(lines).toBe(2);
  });

  it('that fail say so, and cost no request its answer', async () => {
    const { log, errors } = aLog(() => {
      throw new Error('the disk is full');
    });
    const { observer } = await startRequestObservers({ logEvery: 1, tracing: undefined }, log);

    observer!.requestFinished(REQUEST);

    expect(errors).toEqual(['a request could not be observed: Error: the disk is full']);
  });
});
