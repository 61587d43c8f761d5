// What an endpoint answered -> the response of the model as it is known here: under its own name and version, with the outputs that were
// asked for and declared, each of the type and the size that was declared. Pipelines rely on that.

import { elementBytes } from '../core/data-type.js';
import type { DataType } from '../core/data-type.js';
import { RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse, ResponseParameter } from '../core/inference.js';
import type { TensorMetadata } from '../core/model-catalog.js';
import { elementCount, formatShape, type Tensor } from '../core/tensor.js';
import { FINAL_RESPONSE } from '../wire/stream-parameters.js';
import type { WireParameters } from '../wire/wire-tensor.js';
import type { DecodedInferResponse, RemoteName } from './infer-messages.js';

/** A remote model as its leaf knows it. */
export class RemoteModel {
  /** Here. */
  readonly name: string;
  readonly version: string;
  readonly batched: boolean;
  /** It answers a request any number of times. */
  readonly decoupled: boolean;
  /** There. */
  readonly remote: RemoteName;
  readonly #outputs: ReadonlyMap<string, TensorMetadata>;
  readonly #allNames: readonly string[];

  constructor(model: {
    readonly name: string;
    readonly version: string;
    readonly batched: boolean;
    readonly decoupled: boolean;
    readonly remote: RemoteName;
    readonly outputs: readonly TensorMetadata[];
  }) {
    this.name = model.name;
    this.version = model.version;
    this.batched = model.batched;
    this.decoupled = model.decoupled;
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
  { id, outputs, parameters }: DecodedInferResponse,
  request: InferenceRequest,
  model: RemoteModel,
): InferenceResponse {
  if (id !== request.id && id !== '' && request.id !== '')
    throw wrong(`it is for request '${id}', '${request.id}' was asked`);
  const rows = model.batched && !model.decoupled ? rowsOf(request) : undefined;
  const wanted = model.outputNames(request).map((name) => {
    const tensor = outputs.find((output) => output.name === name);
    if (!tensor) throw wrong(`there is no output '${name}'`);
    check(tensor, model.output(name), rows);
    return tensor;
  });
  const response = { modelName: model.name, modelVersion: model.version, outputs: wanted };
  return parameters ? { ...response, ...said(parameters) } : response;
}

/** Of a model that batches; undefined without an input. */
export function rowsOf({ inputs }: InferenceRequest): number | undefined {
  return inputs[0]?.shape[0];
}

// ---- details below; callers need not read ----

/** `rows`: as many as were asked; undefined: any number. */
function check(
  { name, dataType, shape, data }: Tensor,
  declared: TensorMetadata | undefined,
  rows: number | undefined,
): void {
  if (declared && dataType !== declared.dataType)
    throw wrong(`output '${name}' is ${dataType}, ${declared.dataType} was expected`);
  if (declared && !fits(shape, declared.shape))
    throw wrong(
      `output '${name}' has shape ${formatShape(shape)}, ${formatShape(declared.shape)} was expected`,
    );
  if (rows !== undefined && shape[0] !== rows)
    throw wrong(`output '${name}' has shape ${formatShape(shape)}, ${rows} rows were asked`);
  checkBytes(name, data, { dataType, elements: elementCount(shape) });
}

function checkBytes(
  name: string,
  data: Uint8Array,
  { dataType, elements }: { readonly dataType: DataType; readonly elements: number },
): void {
  const size = elementBytes(dataType);
  if (size === 0) {
    if (!holdsStrings(data, elements))
      throw wrong(`output '${name}' is not the ${elements} ${dataType} elements of its shape`);
  } else if (data.length !== size * elements)
    throw wrong(`output '${name}' has ${data.length} bytes, its shape needs ${size * elements}`);
}

/** Each behind its length in four bytes, and nothing else. */
function holdsStrings(data: Uint8Array, elements: number): boolean {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = 0;
  for (let left = elements; left > 0; left--) {
    if (at + 4 > data.length) return false;
    at += 4 + view.getUint32(at, true);
  }
  return at === data.length;
}

function fits(shape: readonly number[], declared: readonly number[]): boolean {
  if (shape.length !== declared.length) return false;
  return shape.every((size, i) => size >= 0 && (declared[i] === -1 || declared[i] === size));
}

/** What the layers around a model there say of it, and its stream; here the layers around this model and its own stream say it. */
const SAID_HERE = new Set([
  ...['served_by', 'attempts', 'hedged', 'degradation_level'],
  FINAL_RESPONSE,
]);

function said(parameters: WireParameters): Pick<InferenceResponse, 'parameters' | 'degradation'> {
  const others = new Map<string, ResponseParameter>();
  for (const [name, { value }] of parameters)
    if (!SAID_HERE.has(name)) others.set(name, typeof value === 'bigint' ? String(value) : value);
  const level = parameters.get('degradation_level')?.value;
  return {
    ...(others.size > 0 && { parameters: others }),
    ...(typeof level === 'string' && { degradation: { level, rank: 1 } }),
  };
}

function wrong(text: string): RuntimeError {
  return new RuntimeError('BACKEND_FAILED', text);
}
