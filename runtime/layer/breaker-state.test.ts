import { describe, expect, it } from 'vitest';
import {
  BREAKER_TRANSITIONS,
  closed,
  letsThrough,
  stateAfter,
  stateAt,
  type BreakerState,
  type Outcome,
} from './breaker-state.js';

const options = { failureThreshold: 3, recoveryMs: 100, halfOpenRequests: 2 };

/** The state after outcomes one after another, all at time 0. */
function after(state: BreakerState, ...outcomes: Outcome[]): BreakerState {
  return outcomes.reduce((before, outcome) => {
    letsThrough(before, options);
    return stateAfter(before, outcome, { options, now: 0 });
  }, state);
}

const halfOpen = (): BreakerState => ({ kind: 'HALF_OPEN', underWay: 0, answered: 0 });

describe('the states of a breaker', () => {
  it.each<[string, BreakerState, Outcome[], BreakerState['kind']]>([
    ['three failures in a row open it', closed(), ['failed', 'failed', 'failed'], 'OPEN'],
    ['two do not', closed(), ['failed', 'failed'], 'CLOSED'],
    [
      'an answer between them starts anew',
      closed(),
      ['failed', 'failed', 'answered', 'failed'],
      'CLOSED',
    ],
    ['what says nothing does not', closed(), ['failed', 'failed', 'neutral', 'failed'], 'OPEN'],
    ['two answers close it when half open', halfOpen(), ['answered', 'answered'], 'CLOSED'],
    ['one does not', halfOpen(), ['answered'], 'HALF_OPEN'],
    ['what says nothing does not either', halfOpen(), ['answered', 'neutral'], 'HALF_OPEN'],
    ['one failure opens it again', halfOpen(), ['answered', 'failed'], 'OPEN'],
  ])('%s', (_what, state, outcomes, kind) => {
    expect(after(state, ...outcomes).kind).toBe(kind);
  });

  it('is half open when its time has come, and not before', () => {
    const open: BreakerState = { kind: 'OPEN', until: 100 };

    expect(stateAt(open, 99)).toBe(open);
    expect(stateAt(open, 100).kind).toBe('HALF_OPEN');
  });

  it('lets as many through when half open as are to be answered, and another for each that said nothing', () => {
    const state = halfOpen();

    const passed = [1, 2, 3].map(() => letsThrough(state, options));
    stateAfter(state, 'neutral', { options, now: 0 });

    expect(passed).toEqual([true, true, false]);
    expect(letsThrough(state, options)).toBe(true);
  });

  it('goes only where the table says, and everywhere it says, whatever happens', () => {
    const went = new Set<string>();
    let state = closed();
    let random = 1;
    const enter = (next: BreakerState): void => {
      if (next !== state) went.add(`${state.kind} ${next.kind}`);
      state = next;
    };
    for (let now = 0; now < 20_000; now++) {
      random = (random * 48_271) % 2_147_483_647;
      enter(stateAt(state, now));
      if (!letsThrough(state, options)) continue;
      const outcome = (['answered', 'failed', 'neutral', 'failed'] as const)[random % 4]!;
      enter(stateAfter(state, outcome, { options, now }));
    }

    const allowed = Object.entries(BREAKER_TRANSITIONS).flatMap(([from, to]) =>
      to.map((kind) => `${from} ${kind}`),
    );
    expect([...went].sort()).toEqual(allowed.sort());
  });
});
