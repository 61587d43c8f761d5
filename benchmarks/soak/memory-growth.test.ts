import { describe, expect, it } from 'vitest';
import { growthOf, isTooMuch, windowMedians } from './memory-growth.js';

const seconds = (count: number, bytes: number): number[] => Array<number>(count).fill(bytes);

describe('windowMedians', () => {
  it('has one value for every whole half minute', () => {
    const samples = [...seconds(29, 100), 5000, ...seconds(30, 200), ...seconds(10, 300)];

    expect(windowMedians(samples)).toEqual([100, 200]);
  });
});

describe('growthOf', () => {
  it('holds the end against the half minute after the first minute', () => {
    expect(growthOf([50, 70, 100, 300, 104])).toBeCloseTo(0.04);
  });

  it('is not known while there is nothing after that', () => {
    expect(growthOf([50, 70, 100])).toBeUndefined();
  });

  it('is too much from five per cent on', () => {
    expect([0.049, 0.05].map(isTooMuch)).toEqual([false, true]);
  });
});
