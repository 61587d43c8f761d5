// What is said of a field that a message does not have: with the field that was meant, as far as that can be guessed.

import type protobuf from 'protobufjs';

export function unknownField(type: protobuf.Type, given: string): string {
  const text = `message ${type.name} has no field '${given}'`;
  const names = Object.keys(type.fields);
  const meant = nearest(given, names);
  if (meant !== undefined) return `${text}; did you mean '${meant}'?`;
  return names.length <= MOST_LISTED ? `${text}; it has ${names.join(', ')}` : text;
}

// ---- details below; callers need not read ----

const MOST_LISTED = 8;
const MOST_EDITS = 2;
/** Of words that count as the same beginning, or as part of a longer name. */
const LEAST_SHARED = 4;

function nearest(given: string, names: readonly string[]): string | undefined {
  const wanted = plain(given);
  const ranked = names
    .map((name) => ({ name, rank: rank(wanted, plain(name)) }))
    .sort((a, b) => a.rank - b.rank);
  return ranked[0] && ranked[0].rank < Infinity ? ranked[0].name : undefined;
}

function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** Infinity: they have nothing to do with each other. */
function rank(given: string, name: string): number {
  const edits = editDistance(given, name);
  if (edits <= MOST_EDITS && edits <= name.length / 2) return edits;
  const shorter = given.length < name.length ? given : name;
  const longer = shorter === given ? name : given;
  if (shorter.length >= LEAST_SHARED && longer.includes(shorter)) return MOST_EDITS + 1;
  const shared = commonStart(given, name);
  return shared > shorter.length / 2 && shared >= LEAST_SHARED ? MOST_EDITS + 2 : Infinity;
}

function commonStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Levenshtein's, a row at a time. Names that a field could be meant by are short; the rest is not looked at. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MOST_EDITS) return Infinity;
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[j]! + 1, row[j - 1]! + 1));
    }
    above = row;
  }
  return above[b.length]!;
}
