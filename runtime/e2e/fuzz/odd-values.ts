// Values that programs are known to stumble over.

import type { Random } from './random.js';
import { bytesField, varintField, type Text, type WireItem } from './wire-field.js';

const MEGABYTE = 1024 * 1024;

/** No UTF-8: a lone byte, a surrogate, an overlong NUL, a cut sequence, beyond Unicode. */
export const NOT_UTF8: readonly Buffer[] = [
  Buffer.of(0xff),
  Buffer.of(0x61, 0xed, 0xa0, 0x80, 0x62),
  Buffer.of(0xc0, 0x80),
  Buffer.of(0x78, 0xe2, 0x82),
  Buffer.of(0xf5, 0x80, 0x80, 0x80),
];

const NAMES: readonly string[] = [
  'nothing_of_this_name',
  '../../etc',
  '/etc/passwd',
  '.',
  '..',
  'add_sub/1',
  'add_sub ',
  ' add_sub',
  'ADD_SUB',
  'add_sub\0',
  '\0',
  'add\nsub',
  '\u001b[31mred',
  '\u0085next\u009b line',
  '\u202eright to left',
  '%00%ff%zz',
  "'; DROP TABLE models; --",
  '__proto__',
  'constructor',
  'toString',
  '\ufeffadd_sub',
  '\ud83e\udd93',
  'x'.repeat(255),
  'x'.repeat(70_000),
];

/** Names that no model and no tensor has. */
export function oddName(random: Random): Text {
  if (random.chance(0.02)) return longText(random);
  return random.chance(0.25) ? random.pick(NOT_UTF8) : random.pick(NAMES);
}

export function longText(random: Random): Text {
  const characters = ['x', '\0', 'ü', '🦓', "'"];
  const text = random.pick(characters);
  return random.chance(0.2)
    ? Buffer.alloc(MEGABYTE, 0xff)
    : text.repeat(Math.floor(MEGABYTE / text.length));
}

/** Versions that no model has, or that are no versions at all. */
export const ODD_VERSIONS: readonly Text[] = [
  '-1',
  '0',
  '-0',
  '1x',
  'x1',
  '1.0',
  '1e0',
  '0x1',
  ' 1',
  '1 ',
  '1\0',
  '1\n',
  '+',
  '-',
  '+-1',
  '\u0661',
  '../1',
  '9007199254740993',
  '99999999999999999999',
  '-99999999999999999999',
  '1'.repeat(1000),
  '1'.repeat(100_000),
  'latest',
  'null',
  ...NOT_UTF8,
];

export const ODD_SIZES: readonly bigint[] = [
  -1n,
  -2n,
  0n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 32n + 1n,
  2n ** 40n,
  2n ** 53n - 1n,
  2n ** 53n + 1n,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 31n),
  -(2n ** 63n),
];

const ODD_NUMBERS: readonly bigint[] = [...ODD_SIZES, 1n, 3n, 2n ** 64n - 1n];

/** The content of an InferParameter: one of its fields, none, two, or one it has not. */
export function oddParameter(random: Random): WireItem[] {
  const number = random.pick(ODD_NUMBERS);
  const text = random.chance(0.3) ? oddName(random) : random.pick(['', '1', 'true', 'region']);
  const double = Buffer.alloc(8);
  double.writeDoubleLE(random.pick([0, -1, 1.5, NaN, Infinity, -Infinity, 5e-324]));
  const choices: WireItem[] = [
    varintField(1, random.below(2)),
    varintField(1, number),
    varintField(2, number),
    bytesField(3, text),
    { number: 4, wireType: 1, value: double.readBigUInt64LE() },
    varintField(5, number),
    varintField(6, number),
  ];
  if (random.chance(0.1)) return [];
  const first = random.pick(choices);
  return random.chance(0.1) ? [first, random.pick(choices)] : [first];
}
