// inference.ModelInferRequest -> InferenceRequest, by hand: no descriptors, and tensor data are views on the received bytes.
//
// In two steps, because that is the order in which Triton looks: what is wrong with a request beyond its bytes (a parameter of the
// wrong type, data that is missing) is of no interest before its model has been found, and until then nothing is read from shared
// memory.

import { dataTypeFromName } from '../core/data-type.js';
import { RuntimeError } from '../core/errors.js';
import {
  NO_PARAMETERS,
  requestIdPrefix,
  type InferenceRequest,
  type RequestedOutput,
} from '../core/inference.js';
import type { Tensor } from '../core/tensor.js';
import { readParameterEntry } from '../wire/infer-parameter.js';
import { readContents } from '../wire/tensor-contents.js';
import { WireReader } from '../wire/wire-reader.js';
import {
  checkCount,
  newParameters,
  readTensor,
  type WireParameters,
  type WireTensor,
} from '../wire/wire-tensor.js';
import { requestParameters } from './request-parameters.js';
import { outputPlaces, requestedOutput } from './requested-outputs.js';
import { placeFromParameters, type OutputPlaces } from './shared-memory-tensors.js';
import { SharedMemory } from './shared-memory.js';

export interface DecodedInferRequest {
  readonly request: InferenceRequest;
  /** Undefined: no output goes to shared memory. */
  readonly places: OutputPlaces | undefined;
}

/** The first step: the message as it stands. @throws RuntimeError INVALID_ARGUMENT when the bytes are none */
export function readInferRequest(bytes: Buffer): WireRequest {
  return readRequest(new WireReader(bytes));
}

/** The second: inputs in shared memory are read now. @throws RuntimeError INVALID_ARGUMENT, UNSUPPORTED, or NOT_FOUND for a region */
export function completeInferRequest(
  wire: WireRequest,
  memory: Pick<SharedMemory, 'place'> = NO_SHARED_MEMORY,
): DecodedInferRequest {
  const parameters = wire.parameters ? requestParameters(wire.parameters) : NO_PARAMETERS;
  checkNames(wire);
  const inputs = attachData(wire, memory);
  const outputs = wire.outputs.length === 0 ? NO_OUTPUTS : wire.outputs.map(requestedOutput);
  const places = outputPlaces(wire.outputs, memory);
  const { modelName, id } = wire;
  return { request: { modelName, id, parameters, inputs, outputs }, places };
}

// ---- details below; callers need not read ----

const NO_OUTPUTS: readonly RequestedOutput[] = [];

const NO_SHARED_MEMORY = new SharedMemory();

/** Together, in shared memory: as much as a message can hold. A small message must not make the server take any amount of memory. */
const MOST_SHARED_BYTES = 2 ** 31 - 1;

interface WireOutput {
  name: string;
  parameters: WireParameters | undefined;
}

/** Behind the names and the id, what only completeInferRequest understands. */
export interface WireRequest {
  modelName: string;
  modelVersion: string;
  id: string;
  parameters: WireParameters | undefined;
  readonly inputs: WireTensor[];
  readonly outputs: WireOutput[];
  readonly raw: Buffer[];
}

// Cases are field number × 8 + wire type.
function readRequest(reader: WireReader): WireRequest {
  const request = emptyRequest();
  for (let fields = 1; !reader.done; fields++) {
    checkCount(fields);
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        request.modelName = reader.text();
        break;
      case 0x12:
        request.modelVersion = reader.text();
        break;
      case 0x1a:
        request.id = reader.text();
        break;
      case 0x22:
        readParameterEntry((request.parameters ??= newParameters()), reader.message());
        break;
      case 0x2a:
        request.inputs.push(readTensor(reader.message()));
        break;
      case 0x32:
        request.outputs.push(readOutput(reader.message()));
        break;
      case 0x3a:
        request.raw.push(reader.bytes());
        break;
      default:
        reader.skip(tag & 7);
    }
  }
  return request;
}

function emptyRequest(): WireRequest {
  return {
    modelName: '',
    modelVersion: '',
    id: '',
    parameters: undefined,
    inputs: [],
    outputs: [],
    raw: [],
  };
}

function readOutput(reader: WireReader): WireOutput {
  const output: WireOutput = { name: '', parameters: undefined };
  for (let fields = 1; !reader.done; fields++) {
    checkCount(fields);
    const tag = reader.tag();
    if (tag === 0x0a) output.name = reader.text();
    else if (tag === 0x12)
      readParameterEntry((output.parameters ??= newParameters()), reader.message());
    else reader.skip(tag & 7);
  }
  return output;
}

function checkNames({ id, inputs, outputs }: WireRequest): void {
  const twice = firstRepeated(inputs);
  const again = twice === undefined ? firstRepeated(outputs) : undefined;
  if (twice === undefined && again === undefined) return;
  const what = twice === undefined ? `output '${again!}'` : `input '${twice}'`;
  const prefix = requestIdPrefix({ id });
  throw new RuntimeError('INVALID_ARGUMENT', `${prefix}${what} already exists in request`);
}

function firstRepeated(items: readonly { readonly name: string }[]): string | undefined {
  if (items.length < 2 || (items.length === 2 && items[0]!.name !== items[1]!.name))
    return undefined;
  const seen = new Set<string>();
  for (const { name } of items) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

function attachData(wire: WireRequest, memory: Pick<SharedMemory, 'place'>): Tensor[] {
  const { inputs, raw, modelName: model } = wire;
  const tensors: Tensor[] = [];
  let used = 0;
  let sharedBytes = 0;
  for (const input of inputs) {
    const { name, dataType: typeName, shape, contents, parameters } = input;
    const dataType = dataTypeFromName(typeName);
    const place = parameters && placeFromParameters(name, parameters);
    let data: Buffer | undefined;
    if (place) {
      sharedBytes += place.byteSize;
      checkShared(input, model, sharedBytes);
      data = memory.place(place).read();
    } else if (!contents) data = raw[used++];
    else if (raw.length > 0) {
      const text = `contents field must not be specified when using raw_input_contents for '${name}' for model '${model}'`;
      throw new RuntimeError('INVALID_ARGUMENT', text);
    } else data = readContents(contents, { name, dataType, model });
    if (!data) {
      const text = `unable to find data for input tensor '${name}' for model '${model}' in request.`;
      throw new RuntimeError('INVALID_ARGUMENT', text);
    }
    tensors.push({ name, dataType, shape, data });
  }
  if (raw.length <= used) return tensors;
  const text = `expected ${used} raw_input_contents for the inputs of model '${model}', got ${raw.length}`;
  throw new RuntimeError('INVALID_ARGUMENT', text);
}

function checkShared({ name, contents }: WireTensor, model: string, sharedBytes: number): void {
  if (contents) {
    const text = `unexpected 'content' provided when using shared memory for input tensor '${name}' for model '${model}'`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }
  if (sharedBytes <= MOST_SHARED_BYTES) return;
  const text = `inputs in shared memory have more than ${MOST_SHARED_BYTES} bytes together`;
  throw new RuntimeError('INVALID_ARGUMENT', text);
}
