// Tensor data that do not fit their tensor: too many or too few bytes, lists of another type, both forms at once or none.

import {
  LIST_FIELD,
  lengthPrefix,
  listOf,
  packedList,
  packedVarints,
  stringsOf,
  stringsRaw,
} from './element-data.js';
import { useLists } from './good-request.js';
import type { InferDraft, InputDraft } from './infer-draft.js';
import type { DraftMutation } from './mutation.js';
import { NOT_UTF8 } from './odd-values.js';
import type { Random } from './random.js';
import { bytesField, varintField, type WireItem } from './wire-field.js';

const TEXT_MODELS = ['id_string', 'text_to_number'];
const NARROW = ['id_int8', 'id_int16', 'id_uint8', 'id_uint16', 'id_int32', 'id_uint32', 'id_bool'];
const TWO_INPUTS = ['add_sub', 'three_in', 'nobatch'];

export const DATA_MUTATIONS: readonly DraftMutation[] = [
  { kind: 'bytes missing', ends: 'refused', apply: bytesMissing },
  { kind: 'bytes too many', ends: 'refused', apply: bytesTooMany },
  {
    kind: 'no data',
    ends: 'refused',
    apply: (draft, random) => void (any(draft, random).raw = undefined),
  },
  { kind: 'surplus data', ends: 'refused', apply: surplus },
  { kind: 'data of inputs exchanged', models: TWO_INPUTS, apply: exchange },
  { kind: 'lists and raw bytes', ends: 'refused', apply: listsAndRaw },
  { kind: 'a list of another type', ends: 'refused', apply: otherList },
  { kind: 'lists of two types', ends: 'refused', apply: twoLists },
  { kind: 'a list of another length', apply: otherLength },
  { kind: 'numbers too large for their type', models: NARROW, apply: outOfRange },
  { kind: 'broken lists', apply: brokenList },
  { kind: 'text that is not UTF-8', ends: 'refused', models: TEXT_MODELS, apply: notUtf8 },
  { kind: 'text with NUL', ends: 'refused', models: TEXT_MODELS, apply: nul },
  { kind: 'length prefix too large', ends: 'refused', models: TEXT_MODELS, apply: prefixTooLarge },
  { kind: 'length prefix too small', models: TEXT_MODELS, apply: prefixTooSmall },
  { kind: 'half a length prefix', ends: 'refused', models: TEXT_MODELS, apply: halfPrefix },
  { kind: 'elements too many or few', ends: 'refused', models: TEXT_MODELS, apply: otherCount },
  {
    kind: 'an index out of the table',
    ends: 'fails',
    weight: 3,
    models: ['gather'],
    apply: outOfTable,
  },
  {
    kind: 'text that is no number',
    ends: 'fails',
    weight: 3,
    models: ['text_to_number'],
    apply: noNumber,
  },
];

// ---- details below; callers need not read ----

function any({ inputs }: InferDraft, random: Random): InputDraft {
  return random.pick(inputs);
}

function bytesMissing(draft: InferDraft, random: Random): void {
  const input = any(draft, random);
  const length = input.raw!.length;
  input.raw = input.raw!.subarray(0, random.pick([length - 1, 0, random.below(length)]));
}

function bytesTooMany(draft: InferDraft, random: Random): void {
  const input = any(draft, random);
  const count = random.chance(0.02) ? 4_000_000 : random.pick([1, 2, 3, 4, 8, 1000]);
  input.raw = Buffer.concat([
    input.raw!,
    random.chance(0.5) ? Buffer.alloc(count) : random.bytes(count & 0xffff),
  ]);
}

function surplus(draft: InferDraft, random: Random): void {
  const count = random.pick([1, 2, 1000]);
  draft.surplusRaw = Array<Buffer>(count).fill(random.bytes(random.below(20)));
}

function exchange({ inputs }: InferDraft): void {
  [inputs[0]!.raw, inputs.at(-1)!.raw] = [inputs.at(-1)!.raw, inputs[0]!.raw];
}

function listsAndRaw(draft: InferDraft, random: Random): void {
  const input = any(draft, random);
  const type = input.datatype as string;
  input.contents = type in LIST_FIELD && random.chance(0.7) ? listOf(type, input.raw!) : [];
}

/** Every other input keeps the list of its own type. */
function otherList(draft: InferDraft, random: Random): void {
  useLists(draft);
  const input = any(draft, random);
  const fields = [1, 2, 3, 4, 5, 6, 7, 8].filter((field) => field !== listField(input));
  input.raw = undefined;
  input.contents = [someList(random.pick(fields), random)];
}

function twoLists(draft: InferDraft, random: Random): void {
  otherList(draft, random);
  for (const { contents } of draft.inputs) contents?.push(someList(1, random), someList(7, random));
}

function listField(input: InputDraft): number | undefined {
  return LIST_FIELD[input.datatype as string];
}

/** Eight bytes or more: whole elements of every type. */
function someList(field: number, random: Random): WireItem {
  if (field === 8) return bytesField(8, random.pick(['', 'text', ...NOT_UTF8]));
  return packedList(field, field >= 6 ? random.bytes(16) : packedVarints([1n, 0n, 1n, 1n]));
}

function otherLength(draft: InferDraft, random: Random): void {
  useLists(draft);
  const input = any(draft, random);
  if (!input.contents) return;
  if (random.chance(0.3)) input.contents = [];
  else if (random.chance(0.5)) input.contents.push(...input.contents);
  else input.contents.push(someList(listField(input)!, random));
}

function outOfRange(draft: InferDraft, random: Random): void {
  useLists(draft);
  const input = any(draft, random);
  const count = Number(input.shape.reduce((product, size) => product * size, 1n));
  const numbers = [300n, -129n, 65_536n, 2n ** 31n, -(2n ** 31n) - 1n, 2n ** 40n, 2n ** 64n - 1n];
  const values = Array.from({ length: count }, () => random.pick(numbers));
  input.contents = [packedList(listField(input)!, packedVarints(values))];
}

/** Half elements, numbers one by one, numbers of the wrong wire type, numbers that do not end. */
function brokenList(draft: InferDraft, random: Random): void {
  useLists(draft);
  const input = any(draft, random);
  const field = listField(input) ?? random.between(1, 8);
  input.raw = undefined;
  input.contents = random.pick<WireItem[]>([
    [packedList(field, random.bytes(random.between(1, 30)))],
    [varintField(field, random.uint64())],
    [{ number: field, wireType: 5, value: random.uint64() }],
    [{ number: field, wireType: 1, value: random.uint64() }],
    [packedList(field, Buffer.alloc(11, 0xff))],
    [packedList(field, Buffer.alloc(0))],
    [bytesField(9, 'unknown')],
  ]);
}

/** Puts another element in the place of one. */
function replaceElement(draft: InferDraft, element: Buffer, random: Random): void {
  const input = draft.inputs[0]!;
  const elements = stringsOf(input.raw!);
  elements[random.below(elements.length)] = element;
  input.raw = stringsRaw(elements);
  if (random.chance(0.4)) useLists(draft);
}

function notUtf8(draft: InferDraft, random: Random): void {
  const padding = Buffer.alloc(random.pick([0, 1, 7, 100]), 'a');
  replaceElement(draft, Buffer.concat([padding, random.pick(NOT_UTF8)]), random);
}

function nul(draft: InferDraft, random: Random): void {
  replaceElement(draft, Buffer.from(random.pick(['\0', '1\0', '\0z', 'ü\0', '1\0\0\0'])), random);
}

/** Where the elements of BYTES begin; each begins with its length. */
function prefixesOf(raw: Buffer): number[] {
  const prefixes: number[] = [];
  for (let at = 0; at < raw.length; at += 4 + raw.readUInt32LE(at)) prefixes.push(at);
  return prefixes;
}

function prefixTooLarge(draft: InferDraft, random: Random): void {
  const raw = Buffer.from(draft.inputs[0]!.raw!);
  const at = prefixesOf(raw).at(-1)!;
  const left = raw.length - at - 4;
  const lengths = [left + 1, left + 100, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc];
  raw.writeUInt32LE(random.pick(lengths), at);
  draft.inputs[0]!.raw = raw;
}

function prefixTooSmall(draft: InferDraft, random: Random): void {
  const raw = Buffer.from(draft.inputs[0]!.raw!);
  const at = random.pick(prefixesOf(raw));
  raw.writeUInt32LE(random.below(raw.readUInt32LE(at) + 1), at);
  draft.inputs[0]!.raw = raw;
}

function halfPrefix(draft: InferDraft, random: Random): void {
  const input = draft.inputs[0]!;
  input.raw = Buffer.concat([input.raw!, Buffer.alloc(random.between(1, 3))]);
}

function otherCount(draft: InferDraft, random: Random): void {
  const input = draft.inputs[0]!;
  const elements = stringsOf(input.raw!);
  const others = random.chance(0.5) ? [...elements, Buffer.from('7')] : elements.slice(1);
  input.raw = random.chance(0.1)
    ? Buffer.concat(Array<Buffer>(10_000).fill(lengthPrefix(0)))
    : stringsRaw(others);
}

function outOfTable(draft: InferDraft, random: Random): void {
  const input = draft.inputs[0]!;
  const raw = Buffer.from(input.raw!);
  const indices = [4n, -5n, 2n ** 31n, 2n ** 40n, 2n ** 63n - 1n, -(2n ** 63n)];
  raw.writeBigInt64LE(random.pick(indices), 8 * random.below(raw.length / 8));
  input.raw = raw;
}

function noNumber(draft: InferDraft, random: Random): void {
  replaceElement(draft, Buffer.from(random.pick(['x', '', 'one', '🦓'])), random);
}
