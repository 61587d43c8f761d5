// What `execute` has returned, held against the configuration: tensors that callers can rely on, or texts from which the author
// sees what is wrong.

import { elementCount, formatShape, type Tensor as RawTensor } from '../core/tensor.js';
import { ModelError, type DataType, type ModelResponse, type Tensor } from './model-api.js';
import type { ScriptOutputSpec, ScriptRequest } from './script-protocol.js';
import { rawTensor } from './script-tensors.js';
import { shortText } from './short-text.js';

export interface AnswerRules {
  readonly batched: boolean;
  readonly outputs: readonly ScriptOutputSpec[];
}

/** One for each request. @throws ModelError */
export function checkedAnswers(
  answers: unknown,
  requests: number,
): readonly (ModelResponse | Error)[] {
  const wanted = `execute must return an array of one answer for each of ${requests} requests`;
  if (!Array.isArray(answers)) throw new ModelError(`${wanted}, got ${nameOf(answers)}`);
  // A hole is an answer that is missing.
  if (answers.length === requests) return Array.from(answers as (ModelResponse | Error)[]);
  throw new ModelError(`${wanted}, got ${answers.length}`);
}

/** The outputs that the request wants. @throws ModelError */
export function checkedOutputs(
  { batched, outputs: specs }: AnswerRules,
  request: Pick<ScriptRequest, 'outputs' | 'rows'>,
  answer: unknown,
): RawTensor[] {
  const outputs: unknown = (answer as Partial<ModelResponse> | null | undefined)?.outputs;
  if (typeof outputs !== 'object' || outputs === null) {
    const text = `an answer must be { outputs: { … } } or an Error, got ${nameOf(answer)}`;
    throw new ModelError(text);
  }
  const given = outputs as Readonly<Record<string, unknown>>;
  checkNames(specs, given);
  return specs.flatMap((spec) => {
    if (!request.outputs.includes(spec.name)) return [];
    const shape = batched ? [request.rows, ...spec.dims] : spec.dims;
    return [checkedOutput(spec, shape, given)];
  });
}

// ---- details below; callers need not read ----

function checkNames(
  specs: readonly ScriptOutputSpec[],
  given: Readonly<Record<string, unknown>>,
): void {
  for (const name of Object.keys(given)) {
    if (specs.some((spec) => spec.name === name)) continue;
    throw new ModelError(`output '${name}' is not in the configuration, which has ${list(specs)}`);
  }
}

function checkedOutput(
  { name, dataType }: ScriptOutputSpec,
  shape: readonly number[],
  given: Readonly<Record<string, unknown>>,
): RawTensor {
  const expected = `the configuration says ${dataType} ${formatShape(shape)}`;
  const found = given[name];
  if (found === undefined) throw new ModelError(`output '${name}' is missing: ${expected}`);
  const tensor = checkedTensor(found, `output '${name}'`);
  if (tensor.dataType !== dataType || !fits(tensor.shape, shape)) {
    const got = `${tensor.dataType} ${formatShape(tensor.shape)}`;
    throw new ModelError(`output '${name}' is ${got}, but ${expected}`);
  }
  return rawTensor(name, tensor);
}

/** @throws ModelError when it is no tensor, or does not hold what it says */
export function checkedTensor(value: unknown, what: string): Tensor {
  if (!looksLikeTensor(value))
    throw new ModelError(
      `${what} must be a tensor(dataType, shape, elements), got ${nameOf(value)}`,
    );
  const { dataType, shape, data } = value;
  if (!Object.hasOwn(ARRAYS, dataType))
    throw new ModelError(`${what} has data type '${shortText(dataType)}', which is none`);
  checkShape(shape, what);
  checkElements(value, what);
  if (data.length !== elementCount(shape)) {
    const text = `${what} has ${data.length} elements, but shape ${formatShape(shape)} has ${elementCount(shape)}`;
    throw new ModelError(text);
  }
  return value;
}

function looksLikeTensor(value: unknown): value is Tensor {
  const { dataType, shape, data } = (value ?? {}) as Partial<Tensor>;
  return dataType !== undefined && Array.isArray(shape) && isObject(data);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function checkShape(shape: readonly unknown[], what: string): void {
  for (const size of shape)
    if (!Number.isSafeInteger(size) || (size as number) < 0)
      throw new ModelError(
        `${what} must have a shape of whole numbers from 0 on, got [${shape.map(shortText).join(',')}]`,
      );
}

function checkElements({ dataType, data }: Tensor, what: string): void {
  const wanted = ARRAYS[dataType];
  // By name: arrays that another context has made are as good.
  const { constructor } = data as { constructor?: { name: string } };
  const name = constructor?.name ?? 'object of another kind';
  if (name !== wanted.name) {
    const text = `${what} is ${dataType}, whose elements are a ${wanted.name}, but they are a ${name}`;
    throw new ModelError(`${text}: make it with tensor()`);
  }
  if (dataType !== 'BYTES') return;
  const wrong = (data as unknown[]).findIndex((element) => !(element instanceof Uint8Array));
  if (wrong >= 0)
    throw new ModelError(
      `element ${wrong} of ${what} must be a Uint8Array, got ${nameOf((data as unknown[])[wrong])}: make it with tensor()`,
    );
}

const ARRAYS: Record<DataType, { readonly name: string }> = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Float32Array,
  BF16: Float32Array,
  FP32: Float32Array,
  FP64: Float64Array,
  BYTES: Array,
};

function fits(shape: readonly number[], expected: readonly number[]): boolean {
  return (
    shape.length === expected.length &&
    expected.every((size, index) => size === -1 || size === shape[index])
  );
}

function list(specs: readonly ScriptOutputSpec[]): string {
  return specs.map(({ name }) => `'${name}'`).join(', ');
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  return Array.isArray(value) ? `an array of ${value.length}` : 'an object of another kind';
}
