import { describe, expect, it } from 'vitest';
import { batchesBetween, countsGrownBy, type ModelCounts } from './model-counts.js';

function counts(succeeded: number, failed = 0, batches: [number, number][] = []): ModelCounts {
  return { succeeded, failed, batches: new Map(batches) };
}

describe('countsGrownBy', () => {
  it('takes a growth by what was sent', async () => {
    const after = counts(110, 3);

    expect(await countsGrownBy(10, counts(100, 3), () => Promise.resolve(after))).toBe(after);
  });

  it('refuses requests that nobody has sent', async () => {
    const read = (): Promise<ModelCounts> => Promise.resolve(counts(111));

    await expect(countsGrownBy(10, counts(100), read)).rejects.toThrow(
      'of 10 requests 11 succeeded and 0 failed',
    );
  });
});

describe('batchesBetween', () => {
  it('has the executions of each size since', () => {
    const before = counts(0, 0, [
      [1, 5],
      [8, 2],
    ]);
    const after = counts(0, 0, [
      [1, 5],
      [8, 6],
      [64, 1],
    ]);

    expect([...batchesBetween(before, after)]).toEqual([
      [8, 4],
      [64, 1],
    ]);
  });
});
