// A request as a model sees it, and the answer of another model: named tensors, made into arrays when they are asked for.

import type { ParameterValue } from '../core/inference.js';
import type { Tensor as RawTensor } from '../core/tensor.js';
import {
  ModelError,
  textsOf,
  type DataType,
  type InferResponse,
  type ModelRequest,
  type ModelSequence,
  type Tensor,
} from './model-api.js';
import type { ScriptRequest } from './script-protocol.js';
import { arrayTensor } from './script-tensors.js';

export class ReceivedRequest implements ModelRequest {
  readonly id: string;
  readonly parameters: ReadonlyMap<string, ParameterValue>;
  readonly outputs: readonly string[];
  readonly rows: number;
  readonly sequence: ModelSequence | undefined;
  readonly #tensors: readonly RawTensor[];

  constructor(
    { id, parameters, outputs, rows }: ScriptRequest,
    tensors: readonly RawTensor[],
    sequence?: ModelSequence,
  ) {
    this.id = id;
    this.parameters = parameters;
    this.outputs = outputs;
    this.rows = rows;
    this.sequence = sequence;
    this.#tensors = tensors;
  }

  get inputs(): readonly string[] {
    return this.#tensors.map(({ name }) => name);
  }

  input<Type extends DataType>(name: string, dataType: Type): Tensor<Type> {
    return named(this.#tensors, name, { dataType, what: 'input' });
  }

  texts(name: string): string[] {
    return textsOf(this.input(name, 'BYTES'));
  }
}

export class ReceivedAnswer implements InferResponse {
  readonly model: string;
  readonly version: number;
  readonly #tensors: readonly RawTensor[];

  constructor(
    { model, version }: { readonly model: string; readonly version: number },
    tensors: readonly RawTensor[],
  ) {
    this.model = model;
    this.version = version;
    this.#tensors = tensors;
  }

  get outputs(): readonly string[] {
    return this.#tensors.map(({ name }) => name);
  }

  output<Type extends DataType>(name: string, dataType: Type): Tensor<Type> {
    return named(this.#tensors, name, { dataType, what: `output of model '${this.model}'` });
  }

  texts(name: string): string[] {
    return textsOf(this.output(name, 'BYTES'));
  }
}

// ---- details below; callers need not read ----

function named<Type extends DataType>(
  tensors: readonly RawTensor[],
  name: string,
  { dataType, what }: { readonly dataType: Type; readonly what: string },
): Tensor<Type> {
  const found = tensors.find((tensor) => tensor.name === name);
  if (!found) {
    const all = tensors.map((tensor) => `'${tensor.name}'`).join(', ');
    throw new ModelError(`there is no ${what} '${name}'; there is ${all || 'none'}`);
  }
  if (found.dataType !== dataType)
    throw new ModelError(`${what} '${name}' is ${found.dataType}, not ${dataType}`);
  return arrayTensor(found) as Tensor<Type>;
}
