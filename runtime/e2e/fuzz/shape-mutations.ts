// Shapes and data types that are not the model's, or no shapes and types at all.

import { ELEMENT_BYTES, randomRaw } from './element-data.js';
import { RECIPES, recipeOf } from './good-request.js';
import type { InferDraft, InputDraft } from './infer-draft.js';
import type { DraftMutation } from './mutation.js';
import { NOT_UTF8, ODD_SIZES, longText } from './odd-values.js';
import type { Random } from './random.js';

const BATCHES_OF_TWO_INPUTS = ['add_sub', 'add_sub_i32', 'three_in'];
const BATCHED = RECIPES.filter(({ maxBatch }) => maxBatch > 0).map(({ model }) => model);
const FREE_SIZES = ['dyn', 'dyn_nobatch', 'id_int8', 'id_string', 'id_bf16', 'rank_18'];

const ODD_TYPES = [
  ...['', 'fp32', 'int64', 'bytes', 'Fp32', 'FP32 ', ' FP32', 'FP32\0', 'TYPE_FP32', 'FLOAT'],
  ...['STRING', 'TYPE_STRING', 'INVALID', '<invalid>', 'BF17', 'INT4', 'undefined', '__proto__'],
  ...['constructor', ...NOT_UTF8],
];

export const SHAPE_MUTATIONS: readonly DraftMutation[] = [
  { kind: 'one absurd size', ends: 'refused', apply: oneAbsurdSize },
  { kind: 'only absurd sizes', ends: 'refused', apply: onlyAbsurdSizes },
  { kind: 'a product that overflows', ends: 'refused', models: FREE_SIZES, apply: overflow },
  { kind: 'no elements beside a huge size', models: FREE_SIZES, apply: emptyBesideHuge },
  { kind: 'no elements at all', models: FREE_SIZES, apply: noElements },
  { kind: '10,000 dimensions', ends: 'refused', weight: 0.2, apply: manyDimensions },
  { kind: 'a dimension too many', ends: 'refused', apply: dimensionTooMany },
  { kind: 'a dimension too few', ends: 'refused', apply: dimensionTooFew },
  {
    kind: 'no shape',
    ends: 'refused',
    apply: (draft, random) => void (any(draft, random).shape = []),
  },
  {
    kind: 'an empty batch',
    ends: 'refused',
    models: BATCHED,
    apply: (draft) => changeBatch(draft, 0),
  },
  { kind: 'a batch too large', ends: 'refused', models: BATCHED, apply: batchTooLarge },
  {
    kind: 'batches that differ',
    ends: 'refused',
    models: BATCHES_OF_TWO_INPUTS,
    apply: twoBatches,
  },
  { kind: 'no such data type', ends: 'refused', apply: noSuchType },
  { kind: 'the data type of another', ends: 'refused', apply: otherType },
];

// ---- details below; callers need not read ----

function any({ inputs }: InferDraft, random: Random): InputDraft {
  return random.pick(inputs);
}

function oneAbsurdSize(draft: InferDraft, random: Random): void {
  const input = any(draft, random);
  input.shape[random.below(input.shape.length)] = random.pick(ODD_SIZES);
}

function onlyAbsurdSizes(draft: InferDraft, random: Random): void {
  const input = any(draft, random);
  input.shape = input.shape.map(() => random.pick(ODD_SIZES));
}

/** Beyond 2^53, 2^64 and, with enough dimensions, beyond the largest double. */
function overflow(draft: InferDraft, random: Random): void {
  const input = any(draft, random);
  const size = 2n ** BigInt(random.pick([27, 32, 53, 62]));
  const first = isBatched(draft) ? 1 : 0;
  input.shape = input.shape.map((own, i) => (i < first ? own : size));
  if (random.chance(0.3)) input.raw = Buffer.alloc(0);
}

function emptyBesideHuge(draft: InferDraft, random: Random): void {
  const input = any(draft, random);
  const first = isBatched(draft) ? 1 : 0;
  input.shape = input.shape.map((own, i) => (i < first ? own : random.pick([0n, ...ODD_SIZES])));
  input.shape[random.between(first, input.shape.length - 1)] = 0n;
  input.raw = Buffer.alloc(0);
}

function noElements(draft: InferDraft, random: Random): void {
  const input = any(draft, random);
  input.shape[input.shape.length - 1] = 0n;
  input.raw = Buffer.alloc(0);
}

function manyDimensions(draft: InferDraft, random: Random): void {
  const size = random.pick([1n, 0n, 2n ** 62n, -1n]);
  any(draft, random).shape = Array<bigint>(10_000).fill(size);
}

function dimensionTooMany(draft: InferDraft, random: Random): void {
  const { shape } = any(draft, random);
  shape.splice(random.below(shape.length + 1), 0, 1n);
}

function dimensionTooFew(draft: InferDraft, random: Random): void {
  const { shape } = any(draft, random);
  shape.splice(random.below(shape.length), 1);
}

function isBatched({ modelName }: InferDraft): boolean {
  return recipeOf(modelName as string).maxBatch > 0;
}

/** With as much data as `rows` rows have, made of the data of the first. */
function changeBatch(draft: InferDraft, rows: number): void {
  for (const input of draft.inputs) changeRows(input, rows);
}

function changeRows(input: InputDraft, rows: number): void {
  const row = input.raw!.subarray(0, input.raw!.length / Number(input.shape[0]));
  input.raw = Buffer.concat(Array<Buffer>(rows).fill(row));
  input.shape[0] = BigInt(rows);
}

function batchTooLarge(draft: InferDraft, random: Random): void {
  const { maxBatch } = recipeOf(draft.modelName as string);
  changeBatch(draft, maxBatch + random.pick([1, 2, 100, 10_000]));
}

function twoBatches({ inputs }: InferDraft, random: Random): void {
  const input = random.pick(inputs);
  changeRows(input, Number(input.shape[0]) + 1);
}

function noSuchType(draft: InferDraft, random: Random): void {
  any(draft, random).datatype = random.chance(0.02) ? longText(random) : random.pick(ODD_TYPES);
}

/** Half of them with data of the right size for that type. */
function otherType(draft: InferDraft, random: Random): void {
  const input = any(draft, random);
  const type = random.pick(Object.keys(ELEMENT_BYTES).filter((name) => name !== input.datatype));
  input.datatype = type;
  const elements = Number(input.shape.reduce((product, size) => product * size, 1n));
  if (random.chance(0.5)) input.raw = randomRaw(type, elements, random);
}
