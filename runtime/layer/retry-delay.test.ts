import { describe, expect, it } from 'vitest';
import { retryDelayMs } from './retry-delay.js';

describe('retryDelayMs', () => {
  const backoff = { initialMs: 10, maxMs: 50 };

  it('doubles with every failure, up to the limit', () => {
    const delays = [1, 2, 3, 4, 100].map((failures) => retryDelayMs(backoff, failures, 1));

    expect(delays).toEqual([10, 20, 40, 50, 50]);
  });

  it('is by chance between half of that and all of it', () => {
    expect([0, 0.5, 1].map((random) => retryDelayMs(backoff, 1, random))).toEqual([5, 7.5, 10]);
  });
});
