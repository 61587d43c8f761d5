import { describe, expect, it } from 'vitest';
import { RequestRecorder } from '../load/request-log.js';
import { PHASES } from './phases.js';
import type { Changes } from './run-changes.js';
import { swapFigures, swapOutcome } from './swap-report.js';

/** Windows of 10 ms, quiet ones and those of the phases in turn; in each, a request that takes so long. */
function aRun(...durations: readonly number[]): ReturnType<typeof swapFigures> {
  const recorder = new RequestRecorder();
  const windows = durations.map((duration, i) => {
    recorder.add(i * 10, i * 10 + duration, 0);
    const phase = i % 2 === 1 ? PHASES[((i - 1) / 2) % PHASES.length]!.name : undefined;
    return { phase, from: i * 10, to: i * 10 + 10, operationMs: phase ? [3, 5] : [] };
  });
  const changes: Changes = { windows, operations: [], problems: [] };
  const verdict = { requests: durations.length, failed: 0, wrong: 0, stale: 0 };
  return swapFigures(recorder.log(), verdict, changes);
}

describe('swapFigures', () => {
  it('holds every phase against the quiet windows on both sides', () => {
    const { phases } = aRun(2, 4, 6, 6, 6, 3, 6);

    expect(phases.map(({ toQuiet }) => toQuiet.median)).toEqual([1, 1, 0.5]);
    expect(phases[0]!.operationMs).toEqual({ median: 4, longest: 5 });
  });
});

describe('swapOutcome', () => {
  it('claims what must hold of every phase', () => {
    const { claims, tables } = swapOutcome(aRun(2, 4, 2, 2, 2, 2, 2));

    expect(claims.filter(({ holds }) => !holds).map(({ text }) => text)).toEqual([
      'reload of a changed file: p99 ÷ p99 without changes: 2, at most 1.5 wanted',
    ]);
    const [{ head, rows }] = tables as [(typeof tables)[number]];
    expect(rows.map((row) => row.length)).toEqual(rows.map(() => head.length));
  });
});
