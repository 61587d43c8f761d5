// Takes out of an expected and an actual answer what the rules do not ask to be equal. Both are changed in place.

import { shown } from './difference.js';
import { equateCloseTensors } from './float-tolerance.js';
import { isObject, spelled, type Json, type JsonObject } from './json.js';
import { placesAt, valueAt, withAnyIndex } from './json-path.js';
import { isWithin, pattern, type Rules } from './rules.js';

/** Complaints about ranges and contents, which are checked rather than compared. */
export function loosen(expected: JsonObject, actual: JsonObject, rules: Rules): string[] {
  const complaints = [...outOfRange(actual, rules), ...lacking(actual, rules)];
  for (const side of [expected, actual]) loosenSide(side, rules);
  if (rules.float_tol) {
    const came = inferResponsesOf(actual);
    for (const [i, response] of inferResponsesOf(expected).entries())
      if (came[i]) equateCloseTensors(response, came[i], rules.float_tol);
  }
  return complaints;
}

/** In this order: a list is sorted without what is ignored in it. */
function loosenSide(side: JsonObject, rules: Rules): void {
  for (const path of uncompared(rules)) for (const place of placesAt(side, path)) place.remove();
  for (const path of rules.set ?? []) sortLists(side, path);
  for (const [path, text] of Object.entries(rules.regex ?? {})) maskMatches(side, path, text);
  if (rules.outputs_any_order === false) return;
  for (const response of inferResponsesOf(side)) sortOutputs(response);
}

function* outOfRange(actual: JsonObject, { ranges = {} }: Rules): Generator<string> {
  for (const [path, range] of Object.entries(ranges)) {
    const value = valueAt(actual, path);
    // A number that is 0 is left out of a message.
    if (isWithin(value === undefined ? 0 : Number(value), range)) continue;
    yield `${path}: expected between ${range[0] ?? 'any'} and ${range[1] ?? 'any'}, came ${shown(value)}`;
  }
}

function* lacking(actual: JsonObject, { contains = {} }: Rules): Generator<string> {
  for (const [path, wanted] of Object.entries(contains)) {
    const list = valueAt(actual, path);
    const missing = wanted.filter((item) => !Array.isArray(list) || !list.includes(item));
    if (missing.length > 0) yield `${path}: lacks ${missing.join(', ')}`;
  }
}

/** A range is of one element, but where the order is free, which one is its counterpart is not known: it is taken out of all. */
function uncompared({ contains = {}, ignore = [], ranges = {} }: Rules): string[] {
  return [...Object.keys(contains), ...ignore, ...Object.keys(ranges).map(withAnyIndex)];
}

function sortLists(side: Json, path: string): void {
  for (const place of placesAt(side, path)) {
    const list = place.get();
    if (Array.isArray(list)) list.sort((a, b) => inOrder(spelled(a), spelled(b)));
  }
}

function maskMatches(side: Json, path: string, text: string): void {
  const matching = pattern(text);
  for (const place of placesAt(side, path)) {
    const value = place.get();
    if (typeof value === 'string' && matching.test(value)) place.set(`(matches ${text})`);
  }
}

/** The ModelInferResponse of a unary answer, or those of a stream. */
function inferResponsesOf({ response, responses }: JsonObject): JsonObject[] {
  if (!Array.isArray(responses)) return isObject(response) ? [response] : [];
  return responses.map((item) => {
    const inner = isObject(item) ? item['infer_response'] : undefined;
    return isObject(inner) ? inner : {};
  });
}

/** By name, each with its contents. */
function sortOutputs(response: JsonObject): void {
  const { outputs, raw_output_contents: raw } = response;
  if (!Array.isArray(outputs)) return;
  const names = outputs.map((output) => spelled((isObject(output) && output['name']) || ''));
  const order = [...outputs.keys()].sort((a, b) => inOrder(names[a]!, names[b]!));
  response['outputs'] = order.map((i) => outputs[i]!);
  if (Array.isArray(raw) && raw.length === outputs.length)
    response['raw_output_contents'] = order.map((i) => raw[i]!);
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
