import { describe, expect, it } from 'vitest';
import { Timings } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import type { Log, LogFields } from '../core/log.js';
import type { FinishedRequest } from '../core/request-observer.js';
import { AccessLog } from './access-log.js';

function aLog(): { log: Log; lines: LogFields[] } {
  const lines: LogFields[] = [];
  const ignore = (): void => undefined;
  const log = { debug: ignore, warn: ignore, error: ignore };
  return { log: { ...log, info: (fields) => void lines.push(fields) }, lines };
}

function aRequest(overrides: Partial<FinishedRequest> = {}): FinishedRequest {
  const timings = Object.assign(new Timings(), {
    receivedAt: 1,
    queuedAt: 1.5,
    dispatchedAt: 2,
    completedAt: 4.0625,
    batchSize: 8,
  });
  return {
    modelName: 'm',
    modelVersion: '3',
    id: 'r1',
    timings,
    legs: [],
    endedAt: 5.00049,
    error: undefined,
    trace: undefined,
    metadata: () => undefined,
    ...overrides,
  };
}

describe('AccessLog', () => {
  it('tells what became of a request and how long it took', () => {
    const { log, lines } = aLog();

    new AccessLog(log, 1).requestFinished(aRequest());

    expect(lines).toEqual([
      {
        ...{ model: 'm', version: '3', id: 'r1', code: 'OK' },
        ...{ ms: 4, queueMs: 0.5, computeMs: 2.063, batchSize: 8 },
      },
    ]);
  });

  it('leaves out what a request has not got or never reached', () => {
    const { log, lines } = aLog();
    const error = new RuntimeError('NOT_FOUND', 'no');

    new AccessLog(log, 1).requestFinished(
      aRequest({ id: '', modelVersion: '', error, timings: new Timings(), endedAt: 0.5 }),
    );

    expect(lines).toEqual([{ model: 'm', version: '', code: 'NOT_FOUND', ms: 0.5 }]);
  });

  it('says which answers came from the response cache', () => {
    const { log, lines } = aLog();
    const request = aRequest();
    request.timings.cached = true;

    new AccessLog(log, 1).requestFinished(request);

    expect(lines[0]).toMatchObject({ cached: true });
  });

  it('tells of every so many', () => {
    const { log, lines } = aLog();
    const accessLog = new AccessLog(log, 3);

    for (let i = 1; i <= 7; i++) accessLog.requestFinished(aRequest({ id: String(i) }));

    expect(lines.map(({ id }) => id)).toEqual(['3', '6']);
  });
});
