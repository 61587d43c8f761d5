import { describe, expect, it } from 'vitest';
import type { ChurnFigures } from './measure-churn.js';
import { givenBack, growth } from './memory-shares.js';

function aChurn(stayingBytes: number, ...rounds: (readonly [number, number])[]): ChurnFigures {
  return {
    allocator: 'a',
    stayingBytes,
    wrongAnswers: 0,
    rounds: rounds.map(([loadedBytes, unloadedBytes]) => ({
      loadMs: 1,
      unloadMs: 1,
      loadedBytes,
      unloadedBytes,
    })),
  };
}

describe('givenBack', () => {
  it('is a share of what the first loading took', () => {
    expect(givenBack(aChurn(100, [300, 150], [300, 300]))).toBe(0.75);
  });
});

describe('growth', () => {
  it('holds the last three rounds against the second', () => {
    const churn = aChurn(1, [90, 50], [100, 60], [999, 9], [104, 60], [105, 63], [106, 66]);

    expect(growth(churn, 'loadedBytes')).toBeCloseTo(0.05);
    expect(growth(churn, 'unloadedBytes')).toBeCloseTo(0.05);
  });

  it('is not known of two rounds', () => {
    expect(growth(aChurn(1, [90, 50], [100, 60]), 'loadedBytes')).toBeNaN();
  });
});
