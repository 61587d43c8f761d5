import { describe, expect, it } from 'vitest';
import { Timings } from './call.js';
import { ModelStatistics } from './model-statistics.js';

describe('ModelStatistics', () => {
  it('counts an execution once, by its number of rows', () => {
    const statistics = new ModelStatistics();

    statistics.executed(3, { inputMs: 1, inferMs: 2, outputMs: 3 });
    statistics.executed(3, { inputMs: 1, inferMs: 2, outputMs: 3 });
    statistics.executed(1, { inputMs: 1, inferMs: 2, outputMs: 3 });

    expect(statistics).toMatchObject({ inferenceCount: 7, executionCount: 3 });
    expect(statistics.batches.get(3)).toMatchObject({ infer: { count: 2, ms: 4 } });
    expect(statistics.batches.get(1)).toMatchObject({ output: { count: 1, ms: 3 } });
  });

  it('counts an answer from the response cache as a success that was not computed', () => {
    const statistics = new ModelStatistics({ summaries: true });
    const timings = Object.assign(new Timings(), { receivedAt: 10, cached: true });

    statistics.succeeded(timings, 20);

    const { success, queue, input, infer, output, digests } = statistics;
    expect([success, queue, input, infer, output].map(({ count }) => count)).toEqual([
      1, 1, 0, 0, 0,
    ]);
    expect([digests?.request.count, digests?.infer.count]).toEqual([1, 0]);
  });

  it('counts the whole time of a batch for every request in it', () => {
    const statistics = new ModelStatistics();
    const timings = Object.assign(new Timings(), {
      receivedAt: 10,
      queuedAt: 11,
      dispatchedAt: 15,
      inferMs: 2,
    });

    statistics.succeeded(timings, 20);
    statistics.succeeded(timings, 20);

    expect(statistics.success).toMatchObject({ count: 2, ms: 20 });
    expect(statistics.queue).toMatchObject({ count: 2, ms: 8 });
    expect(statistics.infer).toMatchObject({ count: 2, ms: 4 });
  });

  it.each([
    ['BACKEND_FAILED', 'BACKEND', 1],
    ['QUEUE_TIMEOUT', 'REJECTED', 1],
    ['QUEUE_FULL', 'REJECTED', 0],
    ['CANCELLED', 'CANCELED', 1],
    ['INTERNAL', 'OTHER', 1],
  ] as const)('counts %s as %s', (code, reason, failed) => {
    const statistics = new ModelStatistics();

    statistics.failed(code, 5);

    expect(statistics.failures[reason]).toBe(1);
    expect(statistics.fail.count).toBe(failed);
  });

  it('counts a request that was refused before it was accepted nowhere', () => {
    const statistics = new ModelStatistics();

    statistics.failed('INVALID_ARGUMENT', 5);

    expect(statistics.fail.count).toBe(0);
    expect(Object.values(statistics.failures)).toEqual([0, 0, 0, 0]);
  });
});
