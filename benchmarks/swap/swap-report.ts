// What changes under load have cost the load.

import type { Outcome } from '../command/outcome.js';
import { durationsMs, type RequestLog } from '../load/request-log.js';
import { median, percentile, type Ratio } from '../median.js';
import { atMost } from '../report/claim.js';
import { milliseconds, ratioText } from '../report/figure-text.js';
import type { TextTable } from '../report/text-table.js';
import type { Verdict } from './model-state.js';
import { PHASES } from './phases.js';
import type { Changes, Window } from './run-changes.js';

const MOST_P99 = 1.5;

export interface SwapFigures {
  readonly verdict: Verdict;
  readonly failures: readonly (readonly [text: string, count: number])[];
  readonly problems: readonly string[];
  readonly windows: readonly WindowFigures[];
  readonly phases: readonly PhaseFigures[];
}

interface WindowFigures {
  readonly phase: string | undefined;
  readonly seconds: number;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  readonly operationMs: readonly number[];
}

interface PhaseFigures {
  readonly phase: string;
  readonly operations: number;
  /** Medians of the phase's windows. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  readonly operationMs: { readonly median: number; readonly longest: number };
  /** Window by window: its p99 to the mean of those before and after it. */
  readonly toQuiet: Ratio;
}

export function swapFigures(log: RequestLog, verdict: Verdict, changes: Changes): SwapFigures {
  const windows = changes.windows.map((window) => windowFigures(log, window));
  return {
    verdict,
    failures: [...log.failures],
    problems: changes.problems,
    windows,
    phases: PHASES.map(({ name }) => phaseFigures(name, windows)),
  };
}

export function swapOutcome(figures: SwapFigures): Outcome {
  const { verdict, phases, failures, problems } = figures;
  return {
    tables: [swapTable(figures)],
    notes: [
      `${verdict.requests.toLocaleString('en-US')} requests in all.`,
      ...failures.map(([text, count]) => `${count} times: ${text}`),
      ...problems,
    ],
    claims: [
      atMost('requests that failed', verdict.failed, 0),
      atMost('answers that the model never gives', verdict.wrong, 0),
      atMost('answers that it gives, but not at that time', verdict.stale, 0),
      atMost('operations that went wrong', problems.length, 0),
      ...phases.map(({ phase, toQuiet }) =>
        atMost(`${phase}: p99 ÷ p99 without changes`, toQuiet.median, MOST_P99),
      ),
    ],
    figures,
  };
}

// ---- details below; callers need not read ----

function windowFigures(log: RequestLog, { phase, from, to, operationMs }: Window): WindowFigures {
  const durations = durationsMs(log, from, to);
  return {
    phase,
    seconds: (to - from) / 1000,
    requests: durations.length,
    p50Ms: percentile(durations, 0.5),
    p99Ms: percentile(durations, 0.99),
    longestMs: durations.at(-1) ?? NaN,
    operationMs,
  };
}

/** Windows alternate: the first and the last are quiet, and so are the neighbours of every phase. */
function phaseFigures(phase: string, windows: readonly WindowFigures[]): PhaseFigures {
  const own = windows.filter((window) => window.phase === phase);
  const ratios = windows.flatMap((window, i) =>
    window.phase === phase
      ? (2 * window.p99Ms) / (windows[i - 1]!.p99Ms + windows[i + 1]!.p99Ms)
      : [],
  );
  const operationMs = own.flatMap((window) => window.operationMs);
  return {
    phase,
    operations: operationMs.length,
    p50Ms: median(own.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(own.map(({ p99Ms }) => p99Ms)),
    longestMs: Math.max(...own.map(({ longestMs }) => longestMs)),
    operationMs: { median: median(operationMs), longest: Math.max(...operationMs) },
    toQuiet: {
      median: median(ratios),
      lowest: Math.min(...ratios),
      highest: Math.max(...ratios),
    },
  };
}

function swapTable({ windows, phases }: SwapFigures): TextTable {
  const quiet = windows.filter(({ phase }) => phase === undefined);
  const of = (key: 'p50Ms' | 'p99Ms'): string =>
    milliseconds(median(quiet.map((window) => window[key])));
  return {
    head: ['', 'calls', 'call ms', 'longest', 'p50 ms', 'p99 ms', 'longest', 'p99 ÷ without'],
    rows: [
      ['no changes', '', '', '', of('p50Ms'), of('p99Ms'), milliseconds(longest(quiet)), ''],
      ...phases.map((it) => [
        it.phase,
        String(it.operations),
        milliseconds(it.operationMs.median),
        milliseconds(it.operationMs.longest),
        milliseconds(it.p50Ms),
        milliseconds(it.p99Ms),
        milliseconds(it.longestMs),
        ratioText(it.toQuiet),
      ]),
    ],
  };
}

function longest(windows: readonly WindowFigures[]): number {
  return Math.max(...windows.map(({ longestMs }) => longestMs));
}
