// What callers without retries have seen of servers that were stopped.

import { status } from '@grpc/grpc-js';
import type { Outcome } from '../command/outcome.js';
import { median } from '../median.js';
import { atMost, type Claim } from '../report/claim.js';
import type { TextTable } from '../report/text-table.js';
import { commonText, failureKind, type FailedCall, type FailureKind } from './call-outcome.js';
import type { DrainFigures } from './measure-drain.js';

export interface DrainArrangement {
  readonly name: string;
  readonly hasOther: boolean;
  readonly rounds: readonly DrainFigures[];
}

const KINDS: readonly FailureKind[] = ['lost', 'overtaken', 'unsent'];

export function drainOutcome(
  arrangements: readonly DrainArrangement[],
  notes: readonly string[],
): Outcome {
  return {
    tables: [drainTable(arrangements), failureTable(arrangements)],
    notes,
    claims: arrangements.flatMap(drainClaims),
    figures: arrangements,
  };
}

// ---- details below; callers need not read ----

function drainClaims({ name, hasOther, rounds }: DrainArrangement): Claim[] {
  const failures = rounds.flatMap((round) => round.failures);
  const ill = rounds.filter(({ exit }) => exit !== 0).length;
  return [
    atMost(`${name}: accepted requests that failed`, countOf(failures, 'lost'), 0),
    atMost(`${name}: servers that did not end with 0`, ill, 0),
    ...(hasOther ? [atMost(`${name}: requests that failed at all`, failures.length, 0)] : []),
  ];
}

function drainTable(arrangements: readonly DrainArrangement[]): TextTable {
  return {
    head: ['', 'stops', 'stop ms', 'longest', 'answered', ...KINDS],
    rows: arrangements.map(({ name, rounds }) => {
      const failures = rounds.flatMap((round) => round.failures);
      const stopMs = rounds.map((round) => round.stopMs);
      const answered = rounds.reduce((sum, round) => sum + round.answered, 0);
      return [
        name,
        String(rounds.length),
        median(stopMs).toFixed(0),
        Math.max(...stopMs).toFixed(0),
        answered.toLocaleString('en-US'),
        ...KINDS.map((kind) => String(countOf(failures, kind))),
      ];
    }),
  };
}

function failureTable(arrangements: readonly DrainArrangement[]): TextTable {
  const counts = new Map<string, number>();
  for (const { name, rounds } of arrangements)
    for (const failure of rounds.flatMap((round) => round.failures)) {
      const code = status[failure.code] ?? String(failure.code);
      const about = `${name}, ${failureKind(failure)}: ${code} ${commonText(failure.text)}`;
      counts.set(about, (counts.get(about) ?? 0) + 1);
    }
  const rows = [...counts].map(([about, count]) => [about, String(count)]);
  return { head: ['what callers were told', 'times'], rows };
}

function countOf(failures: readonly FailedCall[], kind: FailureKind): number {
  return failures.filter((failure) => failureKind(failure) === kind).length;
}
