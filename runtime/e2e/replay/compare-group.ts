// The outcomes of steps that were issued together: each against its own expectation, or all of them against all.

import { compareOutcome } from './compare.js';
import { shown } from './difference.js';
import type { Breakdown, Outcome } from './outcome.js';
import type { Step } from './scenario.js';

type Ended = Outcome | Breakdown;

/** One list of complaints for every step, in their order. */
export function compareGroup(steps: readonly Step[], outcomes: readonly Ended[]): string[][] {
  if (steps.some(({ compare }) => compare?.any_order)) return compareInAnyOrder(steps, outcomes);
  return steps.map((step, i) => [
    ...compareOutcome(step.expect ?? {}, outcomes[i]!, step.compare ?? {}),
    ...compareEnds(step, outcomes[i]!, outcomes),
  ]);
}

/** Every expectation takes one outcome for itself. Which request met which end does not count, so neither do its id and data. */
function compareInAnyOrder(steps: readonly Step[], outcomes: readonly Ended[]): string[][] {
  const left = new Set(outcomes);
  const complaints: string[][] = steps.map(() => []);
  // Those that take any of several codes choose last.
  const isPicky = (i: number): number => Number(steps[i]!.compare?.codes !== undefined);
  for (const i of [...steps.keys()].sort((a, b) => isPicky(a) - isPicky(b))) {
    const { expect = {}, compare = {} } = steps[i]!;
    const ignore = [...(compare.ignore ?? []), 'response.id', 'response.raw_output_contents'];
    const taken = [...left].find(
      (outcome) => compareOutcome(expect, outcome, { ...compare, ignore }).length === 0,
    );
    if (taken) left.delete(taken);
    else
      complaints[i] = [
        `no outcome of the group is left that equals ${endOf({ answer: expect, endedAt: 0 })}`,
        ...outcomes.map(endOf),
      ];
  }
  return complaints;
}

function compareEnds(step: Step, outcome: Ended, group: readonly Ended[]): string[] {
  const later = step.compare?.ends_before;
  if (later === undefined) return [];
  const other = group[later];
  if (other && 'endedAt' in other && 'endedAt' in outcome && outcome.endedAt < other.endedAt)
    return [];
  return [`expected to end before number ${later + 1} of its group`];
}

function endOf(outcome: Ended): string {
  if ('broken' in outcome) return outcome.broken;
  return `${shown(outcome.answer['grpc_code'])} ${shown(outcome.answer['grpc_message'])}`;
}
