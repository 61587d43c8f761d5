import { describe, expect, it } from 'vitest';
import { FAILED, RequestRecorder } from '../load/request-log.js';
import { hedgeOutcome, phaseFigures, type PhaseFigures } from './hedge-report.js';

/** 100 requests, one every millisecond; the last one takes `longest`, the others 1 ms. */
function aPhase(model: string, longest: number, received = 100, outcome = 0): PhaseFigures {
  const recorder = new RequestRecorder();
  for (let i = 0; i < 100; i++)
    recorder.add(i, i + (i === 99 ? longest : 1), i === 0 ? outcome : 0);
  return phaseFigures(model, recorder.log(), { warmUpMs: 50, received });
}

describe('phaseFigures', () => {
  it('times what comes after the warm-up and counts everything', () => {
    expect(aPhase('m', 500, 104, FAILED)).toMatchObject({
      ...{ requests: 50, failed: 1, wrong: 0, p50Ms: 1, p999Ms: 500, extraPercent: 4 },
    });
  });
});

describe('hedgeOutcome', () => {
  const missed = (stalls: PhaseFigures[], kills: PhaseFigures[]): string[] =>
    hedgeOutcome(stalls, kills)
      .claims.filter(({ holds }) => !holds)
      .map(({ text }) => text.slice(0, text.indexOf(':')));

  it('claims that the tail falls, for few extra requests, and that nothing fails with a policy', () => {
    const kills = [aPhase('bare', 1, NaN, FAILED), aPhase('retried', 1, NaN)];

    expect(missed([aPhase('plain', 500), aPhase('hedged', 10, 105)], kills)).toEqual([]);
    expect(missed([aPhase('plain', 500), aPhase('hedged', 90, 106)], kills)).toEqual([
      'p99.9 without ÷ with hedging',
      'extra requests with hedging, in %',
    ]);
    const failing = [kills[0]!, aPhase('retried', 1, NaN, FAILED)];
    expect(missed([aPhase('plain', 500), aPhase('hedged', 10)], failing)).toEqual(['retried']);
  });
});
