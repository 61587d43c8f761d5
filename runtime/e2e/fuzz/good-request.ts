// Requests that are right, each with the one right answer. Broken requests begin as one of these, and unbroken ones show, between
// and beside the broken ones, that nobody's answer suffers. The models: golden/models/repo_basic and fuzz-repository.ts.

import { LIST_FIELD, fp32Raw, int64Raw, listOf, stringsRaw } from './element-data.js';
import { inferDraft, inputDraft, type InferDraft } from './infer-draft.js';
import {
  addAndSubtract,
  identity,
  multiply,
  wholes,
  type GoodRequest,
  type ModelRecipe,
  type RowShape,
} from './model-recipe.js';
import type { Random } from './random.js';
import { varintField } from './wire-field.js';

const IDENTITIES = 'bf16 bool fp16 fp32 fp64 int16 int32 int64 int8 uint16 uint32 uint64 uint8';
const vector: RowShape = ([size]) => [size];
const row =
  (...shape: number[]): RowShape =>
  () =>
    shape;
const rank18: RowShape = ([size]) => [size, ...Array<number>(17).fill(1)];

export const RECIPES: readonly ModelRecipe[] = [
  ...IDENTITIES.split(' ').map((type) =>
    identity(`id_${type}`, type.toUpperCase(), { rowShape: vector, maxBatch: 8 }),
  ),
  identity('id_string', 'BYTES', { rowShape: vector, maxBatch: 8 }),
  identity('dyn', 'FP32', { rowShape: ([a, b]) => [a, b], maxBatch: 4 }),
  identity('dyn_nobatch', 'INT32', { rowShape: ([a]) => [a, 3], maxBatch: 0 }),
  identity('rank_18', 'UINT8', { rowShape: rank18, maxBatch: 0 }),
  addAndSubtract('add_sub', 'FP32', { rowShape: row(4), maxBatch: 8 }),
  addAndSubtract('add_sub_i32', 'INT32', { rowShape: row(4), maxBatch: 8 }),
  addAndSubtract('nobatch', 'FP32', { rowShape: row(2, 3), maxBatch: 0 }),
  multiply('reshape_22', { factor: 2 }, { rowShape: row(4), maxBatch: 8 }),
  multiply('reshape_dyn', { factor: 2 }, { rowShape: vector, maxBatch: 8 }),
  multiply('reshape_in', { factor: 3 }, { rowShape: row(1), maxBatch: 8 }),
  multiply('vers_all', { factor: 2, version: '2' }, { rowShape: row(2), maxBatch: 4 }),
  multiply('vers_latest2', { factor: 10 }, { rowShape: row(2), maxBatch: 4 }),
  { model: 'gather', maxBatch: 8, make: gather },
  { model: 'text_to_number', maxBatch: 8, make: textToNumber },
  { model: 'to_string', maxBatch: 8, make: numberToText },
  { model: 'classify', maxBatch: 8, make: classify },
  { model: 'three_in', maxBatch: 4, make: threeIn },
  { model: 'three_out', maxBatch: 4, make: threeOut },
];

export function recipeOf(model: string): ModelRecipe {
  return RECIPES.find((recipe) => recipe.model === model)!;
}

export function goodRequest({ maxBatch, make }: ModelRecipe, random: Random): GoodRequest {
  return make(random, random.between(1, Math.max(1, Math.min(maxBatch, 3))));
}

/** Replaces raw bytes by typed lists, if all inputs have one; the answer stays the same. */
export function useLists({ inputs }: InferDraft): void {
  if (!inputs.every(({ datatype }) => (datatype as string) in LIST_FIELD)) return;
  for (const input of inputs) {
    input.contents = listOf(input.datatype as string, input.raw!);
    input.raw = undefined;
  }
}

// ---- details below; callers need not read ----

/** The k-th entry of a table; out of the table, ONNX Runtime fails. */
function gather(random: Random, rows: number): GoodRequest {
  const indices = Array.from({ length: rows }, () => random.below(4));
  const shape = [rows, 1];
  const draft = inferDraft('gather', [inputDraft('I', 'INT64', { shape, raw: int64Raw(indices) })]);
  const raw = fp32Raw(indices.map((index) => 10 + index));
  return { draft, answer: [{ name: 'Y', datatype: 'FP32', shape, raw }] };
}

/** Of a text that is no number, ONNX Runtime makes nothing. */
function textToNumber(random: Random, rows: number): GoodRequest {
  const values = wholes(random, rows);
  const shape = [rows, 1];
  const raw = stringsRaw(values.map(String));
  const draft = inferDraft('text_to_number', [inputDraft('TEXT', 'BYTES', { shape, raw })]);
  return { draft, answer: [{ name: 'NUMBER', datatype: 'FP32', shape, raw: fp32Raw(values) }] };
}

function numberToText(random: Random, rows: number): GoodRequest {
  const size = random.between(1, 3);
  const shape = [rows, size];
  const values = wholes(random, rows * size);
  const draft = inferDraft('to_string', [
    inputDraft('X', 'INT64', { shape, raw: int64Raw(values) }),
  ]);
  const raw = stringsRaw(values.map(String));
  return { draft, answer: [{ name: 'Y', datatype: 'BYTES', shape, raw }] };
}

/** The largest of four values, with its label. */
function classify(random: Random, rows: number): GoodRequest {
  const best = Array.from({ length: rows }, () => random.below(4));
  const values = best.flatMap((index) => [0, 1, 2, 3].map((i) => (i === index ? 2 : -0.5 * i)));
  const draft = inferDraft('classify', [
    inputDraft('INPUT0', 'FP32', { shape: [rows, 4], raw: fp32Raw(values) }),
  ]);
  const one = { key: 'classification', value: [varintField(2, 1)] };
  draft.outputs = [{ name: 'OUTPUT0', parameters: [one] }];
  const raw = stringsRaw(best.map((index) => `2.000000:${index}:class_${index}`));
  return { draft, answer: [{ name: 'OUTPUT0', datatype: 'BYTES', shape: [rows, 1], raw }] };
}

function threeIn(random: Random, rows: number): GoodRequest {
  const shape = [rows, 2];
  const [a, b, c] = [0, 1, 2].map(() => wholes(random, 2 * rows)) as [number[], number[], number[]];
  const draft = inferDraft('three_in', [
    inputDraft('A', 'FP32', { shape, raw: fp32Raw(a) }),
    inputDraft('B', 'FP32', { shape, raw: fp32Raw(b) }),
    inputDraft('C', 'INT64', { shape, raw: int64Raw(c) }),
  ]);
  const raw = fp32Raw(a.map((value, i) => value + b[i]! + c[i]!));
  return { draft, answer: [{ name: 'Y', datatype: 'FP32', shape, raw }] };
}

/** Two of its three outputs, asked for by name. */
function threeOut(random: Random, rows: number): GoodRequest {
  const shape = [rows, 2];
  const values = Array.from({ length: 2 * rows }, () => random.between(1, 1000));
  const raw = fp32Raw(values);
  const draft = inferDraft('three_out', [inputDraft('X', 'FP32', { shape, raw })]);
  draft.outputs = ['NEG', 'SAME'].map((name) => ({ name, parameters: [] }));
  const negative = fp32Raw(values.map((value) => -value));
  return {
    draft,
    answer: [
      { name: 'SAME', datatype: 'FP32', shape, raw },
      { name: 'NEG', datatype: 'FP32', shape, raw: negative },
    ],
  };
}
