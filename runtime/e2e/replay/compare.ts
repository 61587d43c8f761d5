// Is what came what was recorded? Nothing but the rules of a step makes the comparison less than exact.

import { differences, shown } from './difference.js';
import type { JsonObject } from './json.js';
import { loosen } from './loosen.js';
import type { Breakdown, Outcome } from './outcome.js';
import { isWithin, pattern, type Rules } from './rules.js';

/** Complaints, one line each; none when the outcome is as expected. */
export function compareOutcome(
  recorded: JsonObject,
  outcome: Outcome | Breakdown,
  rules: Rules,
): string[] {
  if ('broken' in outcome) return [outcome.broken];
  const expected = structuredClone(recorded);
  const actual = structuredClone(outcome.answer);
  // For readers of the transcripts only.
  delete expected['decoded'];
  const wrongCode = compareCode(expected, actual, rules);
  if (wrongCode.length > 0 && !rules.codes) return wrongCode;
  const complaints = [
    ...wrongCode,
    ...compareMessage(expected, actual, rules),
    ...compareDuration(outcome.tookMs, rules),
  ];
  if (rules.response === 'ignore') {
    for (const side of [expected, actual]) {
      delete side['response'];
      delete side['responses'];
    }
  }
  return [...complaints, ...loosen(expected, actual, rules), ...differences(expected, actual)];
}

function compareCode(expected: JsonObject, actual: JsonObject, { codes }: Rules): string[] {
  const [wanted, came] = [expected['grpc_code'], actual['grpc_code']];
  if (!codes) {
    if (wanted === came) return [];
    return [
      `grpc_code: expected ${shown(wanted)}, came ${shown(came)}`,
      `grpc_message: expected ${shown(expected['grpc_message'])}, came ${shown(actual['grpc_message'])}`,
    ];
  }
  delete expected['grpc_code'];
  delete actual['grpc_code'];
  if (codes.some((code) => code === came)) return [];
  return [
    `grpc_code: expected one of ${codes.join(', ')}, came ${shown(came)} ${shown(actual['grpc_message'])}`,
  ];
}

function compareMessage(expected: JsonObject, actual: JsonObject, rules: Rules): string[] {
  const { message = 'exact', message_regex: text = '' } = rules;
  if (message === 'exact') return [];
  const came = actual['grpc_message'] ?? '';
  delete expected['grpc_message'];
  delete actual['grpc_message'];
  if (message === 'code_only') return [];
  if (text !== '' && typeof came === 'string' && pattern(text).test(came)) return [];
  return [`grpc_message: expected to match ${text}, came ${shown(came)}`];
}

function compareDuration(tookMs: number | undefined, { ms }: Rules): string[] {
  if (!ms || (tookMs !== undefined && isWithin(tookMs, ms))) return [];
  return [
    `took ${Math.round(tookMs ?? NaN)} ms: expected between ${ms[0] ?? 'any'} and ${ms[1] ?? 'any'}`,
  ];
}
