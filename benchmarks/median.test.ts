import { describe, expect, it } from 'vitest';
import { median, percentile, ratioOf } from './median.js';

describe('median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[7], 7],
    [[10, 9, 100], 10],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('of nothing is no number', () => {
    expect(median([])).toBeNaN();
  });

  it('leaves the values as they are', () => {
    const values = [3, 1, 2];

    median(values);

    expect(values).toEqual([3, 1, 2]);
  });
});

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);

  it.each([
    [0.5, 50],
    [0.99, 99],
    [0.999, 100],
    [0, 1],
    [1, 100],
  ])('finds the value that a share of %d does not exceed', (share, expected) => {
    expect(percentile(hundred, share)).toBe(expected);
  });

  it('takes what there is of few values', () => {
    expect(percentile([5, 9], 0.99)).toBe(9);
  });
});

describe('ratioOf', () => {
  it('compares what was measured together', () => {
    // The machine was half as fast the second time.
    expect(ratioOf([80, 40, 90], [100, 50, 100])).toEqual({
      median: 0.8,
      lowest: 0.8,
      highest: 0.9,
    });
  });
});
