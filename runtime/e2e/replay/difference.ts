// The places where two JSON values differ, one readable line each.

import { isObject, type Json } from './json.js';

const LINES_SHOWN = 12;
const TEXT_SHOWN = 160;

/** Empty exactly when the values are equal; the order of an object's members does not count. */
export function differences(expected: Json, actual: Json): string[] {
  const lines = [...differencesAt('', expected, actual)];
  const more = lines.length - LINES_SHOWN;
  return more > 0 ? [...lines.slice(0, LINES_SHOWN), `... and ${more} more`] : lines;
}

/** The text of a value, cut to a readable length. */
export function shown(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > TEXT_SHOWN ? `${text.slice(0, TEXT_SHOWN)}...` : text;
}

type Maybe = Json | undefined;

function* differencesAt(path: string, expected: Maybe, actual: Maybe): Generator<string> {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    for (let i = 0; i < Math.max(expected.length, actual.length); i++)
      yield* differencesAt(`${path}[${i}]`, expected[i], actual[i]);
  } else if (isObject(expected) && isObject(actual)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)]))
      yield* differencesAt(path === '' ? key : `${path}.${key}`, expected[key], actual[key]);
  } else if (expected !== actual) {
    yield `${path === '' ? 'outcome' : path}: expected ${shown(expected)}, came ${shown(actual)}`;
  }
}
