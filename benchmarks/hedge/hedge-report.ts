// What hedging has saved and cost, and what became of requests while replicas died.

import type { Outcome } from '../command/outcome.js';
import { FAILED, WRONG, durationsMs, type RequestLog } from '../load/request-log.js';
import { percentile } from '../median.js';
import { atLeast, atMost } from '../report/claim.js';
import { milliseconds } from '../report/figure-text.js';
import type { TextTable } from '../report/text-table.js';

const LEAST_GAIN = 10;
const MOST_EXTRA_PERCENT = 5;

export interface PhaseFigures {
  readonly model: string;
  readonly requests: number;
  readonly failed: number;
  readonly wrong: number;
  readonly failures: readonly (readonly [text: string, count: number])[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly longestMs: number;
  /** Sent besides one for each request, of the requests; NaN where it is not known. */
  readonly extraPercent: number;
}

/** Times are those after the warm-up. `received`: requests that came to the replicas in all; NaN: not known. */
export function phaseFigures(
  model: string,
  log: RequestLog,
  { warmUpMs, received }: { readonly warmUpMs: number; readonly received: number },
): PhaseFigures {
  const from = (log.sentAt[0] ?? 0) + warmUpMs;
  const durations = durationsMs(log, from, Infinity);
  const count = (outcome: number): number => log.outcomes.filter((it) => it === outcome).length;
  return {
    model,
    requests: durations.length,
    failed: count(FAILED),
    wrong: count(WRONG),
    failures: [...log.failures],
    p50Ms: percentile(durations, 0.5),
    p99Ms: percentile(durations, 0.99),
    p999Ms: percentile(durations, 0.999),
    longestMs: durations.at(-1) ?? NaN,
    extraPercent: (100 * (received - log.outcomes.length)) / log.outcomes.length,
  };
}

export function hedgeOutcome(
  stalls: readonly PhaseFigures[],
  kills: readonly PhaseFigures[],
): Outcome {
  const [plain, hedged] = stalls as readonly [PhaseFigures, PhaseFigures];
  const safe = kills.slice(1);
  return {
    tables: [phaseTable([...stalls, ...kills])],
    notes: [...stalls, ...kills].flatMap(({ model, failures }) =>
      failures.map(([text, count]) => `${model}: ${count} times: ${text}`),
    ),
    claims: [
      atLeast('p99.9 without ÷ with hedging', plain.p999Ms / hedged.p999Ms, LEAST_GAIN),
      atMost('extra requests with hedging, in %', hedged.extraPercent, MOST_EXTRA_PERCENT),
      ...[...stalls, ...safe].map(({ model, failed, wrong }) =>
        atMost(`${model}: requests that failed or were answered wrongly`, failed + wrong, 0),
      ),
    ],
    figures: { stalls, kills },
  };
}

// ---- details below; callers need not read ----

function phaseTable(phases: readonly PhaseFigures[]): TextTable {
  return {
    head: ['model', 'requests', 'failed', 'p50 ms', 'p99 ms', 'p99.9 ms', 'longest', 'extra %'],
    rows: phases.map((it) => [
      it.model,
      String(it.requests),
      String(it.failed),
      ...[it.p50Ms, it.p99Ms, it.p999Ms, it.longestMs].map(milliseconds),
      Number.isNaN(it.extraPercent) ? '' : it.extraPercent.toFixed(1),
    ]),
  };
}
