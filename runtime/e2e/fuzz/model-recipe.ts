// Builders of right requests, with their right answers, for models that are alike.

import { fp32Raw, int32Raw, randomRaw } from './element-data.js';
import { inferDraft, inputDraft, type InferDraft } from './infer-draft.js';
import type { Random } from './random.js';

export interface ExpectedOutput {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly raw: Buffer;
}

export interface GoodRequest {
  readonly draft: InferDraft;
  readonly answer: readonly ExpectedOutput[];
}

export interface ModelRecipe {
  readonly model: string;
  /** 0: the model is not batched. */
  readonly maxBatch: number;
  /** `rows` is 1 where the model is not batched. */
  readonly make: (random: Random, rows: number) => GoodRequest;
}

/** Few sizes, so that requests of a model often share a batch. */
export type RowShape = (sizes: readonly [number, number]) => readonly number[];

interface Shaped {
  readonly rowShape: RowShape;
  readonly maxBatch: number;
}

/** Gives back every bit. */
export function identity(model: string, type: string, { rowShape, maxBatch }: Shaped): ModelRecipe {
  const make = (random: Random, rows: number): GoodRequest => {
    const shape = shapeFor(maxBatch, rows, rowShape(sizes(random)));
    const raw = randomRaw(type, elementsOf(shape), random);
    const draft = inferDraft(model, [inputDraft('INPUT0', type, { shape, raw })]);
    return { draft, answer: [{ name: 'OUTPUT0', datatype: type, shape, raw }] };
  };
  return { model, maxBatch, make };
}

export function addAndSubtract(
  model: string,
  type: 'FP32' | 'INT32',
  { rowShape, maxBatch }: Shaped,
): ModelRecipe {
  const rawOf = type === 'INT32' ? int32Raw : fp32Raw;
  const make = (random: Random, rows: number): GoodRequest => {
    const shape = shapeFor(maxBatch, rows, rowShape(sizes(random)));
    const [a, b] = [wholes(random, elementsOf(shape)), wholes(random, elementsOf(shape))];
    const input = (name: string, values: readonly number[]): InferDraft['inputs'][number] =>
      inputDraft(name, type, { shape, raw: rawOf(values) });
    const output = (name: string, values: readonly number[]): ExpectedOutput => ({
      name,
      datatype: type,
      shape,
      raw: rawOf(values),
    });
    const sum = a.map((value, i) => value + b[i]!);
    const difference = a.map((value, i) => value - b[i]!);
    return {
      draft: inferDraft(model, [input('INPUT0', a), input('INPUT1', b)]),
      answer: [output('OUTPUT0', sum), output('OUTPUT1', difference)],
    };
  };
  return { model, maxBatch, make };
}

/** Multiplies FP32 by a factor, which for some models depends on the version. */
export function multiply(
  model: string,
  { factor, version = '' }: { readonly factor: number; readonly version?: string },
  { rowShape, maxBatch }: Shaped,
): ModelRecipe {
  const make = (random: Random, rows: number): GoodRequest => {
    const shape = shapeFor(maxBatch, rows, rowShape(sizes(random)));
    const values = wholes(random, elementsOf(shape));
    const draft = inferDraft(model, [
      inputDraft('INPUT0', 'FP32', { shape, raw: fp32Raw(values) }),
    ]);
    draft.modelVersion = version;
    const raw = fp32Raw(values.map((value) => value * factor));
    return { draft, answer: [{ name: 'OUTPUT0', datatype: 'FP32', shape, raw }] };
  };
  return { model, maxBatch, make };
}

/** Small enough to be exact in every type that is computed with. */
export function wholes(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.between(-1000, 1000));
}

// ---- details below; callers need not read ----

function sizes(random: Random): [number, number] {
  return [random.between(1, 3), random.between(1, 2)];
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function shapeFor(maxBatch: number, rows: number, rowShape: readonly number[]): readonly number[] {
  return maxBatch > 0 ? [rows, ...rowShape] : rowShape;
}
