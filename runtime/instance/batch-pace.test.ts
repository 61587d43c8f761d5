import { describe, expect, it } from 'vitest';
import { BatchPace } from './batch-pace.js';

function paceAfter(...ms: number[]): BatchPace {
  const pace = new BatchPace();
  for (const one of ms) pace.add(one);
  return pace;
}

describe('BatchPace', () => {
  it.each([
    ['is not known after two batches', [300, 300], 'unknown'],
    ['is long where batches are', [300, 300, 300], 'long'],
    ['is short where batches are', [0.1, 0.1, 0.1], 'short'],
    ['leaves the first batch out, which does what is done once', [400, 1, 1], 'short'],
    ['is not changed by one batch that took long', [1, 1, 1, 1, 1, 20], 'short'],
    ['follows batches that have become long', [1, 1, 1, 40, 40, 40], 'long'],
    ['holds on to long between the bounds', [6, 6, 6, 3, 3, 3, 3, 3, 3, 3, 3], 'long'],
    ['holds on to short between the bounds', [1, 1, 1, 4, 4, 4, 4, 4, 4, 4, 4], 'short'],
    ['is short again when batches are', [6, 6, 6, ...new Array<number>(20).fill(1)], 'short'],
  ])('%s', (_what, ms, pace) => {
    expect(paceAfter(...ms).pace).toBe(pace);
  });

  it('leaves the first batch of every session out', () => {
    const pace = paceAfter(1, 1, 1, 1);

    pace.newSession();
    pace.add(300);

    expect(pace.pace).toBe('short');
  });

  it('says when it has changed', () => {
    const pace = new BatchPace();

    expect([300, 300, 300, 300].map((ms) => pace.add(ms))).toEqual([false, false, true, false]);
  });
});
