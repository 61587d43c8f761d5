import { describe, expect, it } from 'vitest';
import { cascadeOutcome, type CascadeFigures } from './cascade-report.js';

function figures(accuracy: number, messagesPerSecond: number[]): CascadeFigures {
  return {
    ...{ messages: 1000, batch: 32, passedOn: 20 },
    models: [
      { label: 'heavy', accuracy: 0.99, messagesPerSecond: [100, 100, 200] },
      { label: 'cascade', accuracy, messagesPerSecond },
      { label: 'light', accuracy: 0.98, messagesPerSecond: [2000, 2000, 2000] },
    ],
  };
}

const holds = (outcome: ReturnType<typeof cascadeOutcome>): boolean[] =>
  outcome.claims.map((claim) => claim.holds);

describe('cascadeOutcome', () => {
  it('compares round by round', () => {
    const { tables, notes } = cascadeOutcome(figures(0.99, [1000, 900, 1000]));

    expect(tables[0]!.rows).toEqual([
      ['heavy', '99.00 %', '100', ''],
      ['cascade', '99.00 %', '1,000', '9.00 (5.00–10.0)'],
      ['light', '98.00 %', '2,000', '20.0 (10.0–20.0)'],
    ]);
    expect(notes[1]).toBe('The second stage of the cascade answered 20 messages (2.0 %).');
  });

  it('holds the cascade to its accuracy and its speed', () => {
    expect(holds(cascadeOutcome(figures(0.986, [600, 600, 1100])))).toEqual([true, true]);
    expect(holds(cascadeOutcome(figures(0.984, [600, 600, 1100])))).toEqual([false, true]);
    expect(holds(cascadeOutcome(figures(0.995, [400, 400, 1100])))).toEqual([true, false]);
  });
});
