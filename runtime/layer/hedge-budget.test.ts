import { describe, expect, it } from 'vitest';
import { HedgeBudget } from './hedge-budget.js';

describe('HedgeBudget', () => {
  it('is full at the start: a hundred hedges', () => {
    const budget = new HedgeBudget(5);

    const taken = Array.from({ length: 101 }, () => budget.take());

    expect(taken.indexOf(false)).toBe(100);
  });

  it('allows its percentage of the requests for long', () => {
    const budget = new HedgeBudget(5);
    while (budget.take());

    let hedges = 0;
    for (let request = 0; request < 10_000; request++) {
      budget.add();
      if (budget.take()) hedges++;
    }

    expect(hedges).toBeGreaterThanOrEqual(499);
    expect(hedges).toBeLessThanOrEqual(500);
  });

  it('never holds more than a hundred', () => {
    const budget = new HedgeBudget(100);

    for (let request = 0; request < 1000; request++) budget.add();

    expect(budget.tokens).toBe(100);
  });
});
