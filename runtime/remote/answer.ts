// What an endpoint answered -> the response of the model as it is known here: under its own name and version, with the outputs that were
// asked for and declared, each of the type and the size that was declared. Pipelines rely on that.

import { elementBytes } from '../core/data-type.js';
import type { DataType } from '../core/data-type.js';
import { RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse, ResponseParameter } from '../core/inference.js';
import type { TensorMetadata } from '../core/model-catalog.js';
import { elementCount, formatShape, type Tensor } from '../core/tensor.js';
import type { WireParameters } from '../wire/wire-tensor.js';
import { decodeInferResponse, type RemoteName } from './infer-messages.js';

/** A remote model as its leaf knows it. */
export class RemoteModel {
  /** Here. */
  readonly name: string;
  readonly version: string;
  readonly batched: boolean;
  /** There. */
  readonly remote: RemoteName;
  readonly #outputs: ReadonlyMap<string, TensorMetadata>;
  readonly #allNames: readonly string[];

  constructor(model: {
    readonly name: string;
    readonly version: string;
    readonly batched: boolean;
    readonly remote: RemoteName;
    readonly outputs: readonly TensorMetadata[];
  }) {
    this.name = model.name;
    this.version = model.version;
    this.batched = model.batched;
    this.remote = model.remote;
    this.#outputs = new Map(model.outputs.map((output) => [output.name, output]));
    this.#allNames = model.outputs.map(({ name }) => name);
  }

  /** What the endpoint is to answer; it may have more outputs than are declared here. */
  outputNames({ outputs }: InferenceRequest): readonly string[] {
    return outputs.length === 0 ? this.#allNames : outputs.map(({ name }) => name);
  }

  output(name: string): TensorMetadata | undefined {
    return this.#outputs.get(name);
  }
}

/** @throws RuntimeError that says what is wrong with the answer */
export function answerOf(
  message: Buffer,
  request: InferenceRequest,
  model: RemoteModel,
): InferenceResponse {
  const { outputs, parameters } = decodeInferResponse(message, model.name);
  const wanted = model.outputNames(request).map((name) => {
    const tensor = outputs.find((output) => output.name === name);
    if (!tensor) throw wrong(`there is no output '${name}'`);
    check(tensor, model.output(name));
    return tensor;
  });
  const response = { modelName: model.name, modelVersion: model.version, outputs: wanted };
  return parameters ? { ...response, ...said(parameters) } : response;
}

// ---- details below; callers need not read ----

function check({ name, dataType, shape, data }: Tensor, declared?: TensorMetadata): void {
  if (declared && dataType !== declared.dataType)
    throw wrong(`output '${name}' is ${dataType}, ${declared.dataType} was expected`);
  if (declared && !fits(shape, declared.shape))
    throw wrong(
      `output '${name}' has shape ${formatShape(shape)}, ${formatShape(declared.shape)} was expected`,
    );
  const bytes = expectedBytes(dataType, shape);
  if (bytes !== undefined && data.length !== bytes)
    throw wrong(`output '${name}' has ${data.length} bytes, its shape needs ${bytes}`);
}

function fits(shape: readonly number[], declared: readonly number[]): boolean {
  if (shape.length !== declared.length) return false;
  return shape.every((size, i) => size >= 0 && (declared[i] === -1 || declared[i] === size));
}

/** Undefined where elements differ in size. */
function expectedBytes(dataType: DataType, shape: readonly number[]): number | undefined {
  const size = elementBytes(dataType);
  return size === 0 ? undefined : size * elementCount(shape);
}

/** What the layers around a model there say of it; here the layers around this model say it. */
const OF_LAYERS = new Set(['served_by', 'attempts', 'hedged', 'degradation_level']);

function said(parameters: WireParameters): Pick<InferenceResponse, 'parameters' | 'degradation'> {
  const others = new Map<string, ResponseParameter>();
  for (const [name, { value }] of parameters)
    if (!OF_LAYERS.has(name)) others.set(name, typeof value === 'bigint' ? String(value) : value);
  const level = parameters.get('degradation_level')?.value;
  return {
    ...(others.size > 0 && { parameters: others }),
    ...(typeof level === 'string' && { degradation: { level, rank: 1 } }),
  };
}

function wrong(text: string): RuntimeError {
  return new RuntimeError('BACKEND_FAILED', text);
}
