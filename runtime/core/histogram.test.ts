import { describe, expect, it } from 'vitest';
import { Histogram } from './histogram.js';

describe('Histogram', () => {
  it('counts each value in the first range that reaches to it', () => {
    const histogram = new Histogram([1, 10, 100]);

    for (const value of [0, 1, 1.5, 10, 99, 100, 101, 1e9]) histogram.add(value);

    expect(histogram.counts).toEqual([2, 2, 2, 2]);
    expect(histogram.sum).toBe(0 + 1 + 1.5 + 10 + 99 + 100 + 101 + 1e9);
  });
});
