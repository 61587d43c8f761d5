// InferenceRequest -> inference.ModelInferRequest, and inference.ModelInferResponse -> InferenceResponse: what the frontend does, from
// the other side, and with the same reader and writer. Inputs go out as raw contents and are copied once; outputs are views.

import { dataTypeFromName } from '../core/data-type.js';
import { RuntimeError } from '../core/errors.js';
import {
  NO_PARAMETERS,
  type InferenceRequest,
  type ParameterValue,
  type RequestParameters,
} from '../core/inference.js';
import type { Tensor } from '../core/tensor.js';
import { encodeParameters, readParameterEntry } from '../wire/infer-parameter.js';
import { readContents } from '../wire/tensor-contents.js';
import { WireReader } from '../wire/wire-reader.js';
import {
  checkCount,
  newParameters,
  readTensor,
  tensorSize,
  writeTensor,
  type WireParameters,
  type WireTensor,
} from '../wire/wire-tensor.js';
import { WireWriter, cachedUtf8, delimitedSize } from '../wire/wire-writer.js';

/** What a model is called at its endpoints. Version '': the latest. */
export interface RemoteName {
  readonly name: string;
  readonly version: string;
}

/** gRPC's limit of a message. */
const MAX_MESSAGE_BYTES = 2 ** 31 - 1;

export interface Wanted {
  /** By name. */
  readonly outputs: readonly string[];
  /** The last answer says that it is the last, and comes even if there is nothing else to say. */
  readonly final: boolean;
}

/** @throws RuntimeError INVALID_ARGUMENT for a request that gRPC cannot carry */
export function encodeInferRequest(
  { id, inputs, parameters }: InferenceRequest,
  remote: RemoteName,
  { outputs, final }: Wanted,
): Buffer {
  const parts = [encodeNames(remote, id), encodeRequestParameters(parameters)];
  if (final) parts.push(WANTS_FINAL);
  const head = Buffer.concat(parts);
  let size = head.length;
  for (const input of inputs)
    size += delimitedSize(tensorSize(input)) + delimitedSize(input.data.length);
  for (const output of outputs) size += delimitedSize(delimitedSize(cachedUtf8(output).length));
  if (size > MAX_MESSAGE_BYTES) {
    const text = `Request has byte size ${size} which exceeds gRPC's byte size limit ${MAX_MESSAGE_BYTES}.`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }
  const writer = new WireWriter(size);
  writer.raw(head);
  for (const input of inputs) writeTensor(writer, input);
  for (const output of outputs) writeOutputName(writer, cachedUtf8(output));
  for (const { data } of inputs) writer.bytes(7, data);
  return writer.buffer;
}

export interface DecodedInferResponse {
  /** '' where the endpoint sends none, or nobody asked for it. */
  readonly id: string;
  readonly outputs: readonly Tensor[];
  /** Undefined: none. */
  readonly parameters: WireParameters | undefined;
}

/** The tensors are views on the bytes. @throws RuntimeError when they are no such message */
export function decodeInferResponse(reader: WireReader, model: string): DecodedInferResponse {
  const outputs: WireTensor[] = [];
  const raw: Buffer[] = [];
  let parameters: WireParameters | undefined;
  let id = '';
  for (let fields = 1; !reader.done; fields++) {
    checkCount(fields);
    const tag = reader.tag();
    // Field number × 8 + wire type. Name and version are known.
    if (tag === 0x1a) id = reader.text();
    else if (tag === 0x22) readParameterEntry((parameters ??= newParameters()), reader.message());
    else if (tag === 0x2a) outputs.push(readTensor(reader.message()));
    else if (tag === 0x32) raw.push(reader.bytes());
    else reader.skip(tag & 7);
  }
  return { id, outputs: withData(outputs, raw, model), parameters };
}

export interface DecodedStreamResponse {
  /** '' for an answer. */
  readonly error: string;
  /** Undefined: there is none; of an error it need not be there. */
  readonly answer: DecodedInferResponse | undefined;
}

/** ModelStreamInferResponse: error_message 1, infer_response 2. @throws RuntimeError when the bytes are no such message */
export function decodeStreamResponse(bytes: Buffer, model: string): DecodedStreamResponse {
  const reader = new WireReader(bytes);
  let error = '';
  let answer: DecodedInferResponse | undefined;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x0a) error = reader.text();
    else if (tag === 0x12) answer = decodeInferResponse(reader.message(), model);
    else reader.skip(tag & 7);
  }
  return { error, answer };
}

// ---- details below; callers need not read ----

const NOTHING = Buffer.alloc(0);

const WANTS_FINAL = encodeParameters(new Map([['triton_enable_empty_final_response', true]]));

/** Fields 1 to 3, of which empty ones are not sent. */
function encodeNames({ name, version }: RemoteName, id: string): Buffer {
  const texts = [cachedUtf8(name), cachedUtf8(version), Buffer.from(id)];
  let size = 0;
  for (const { length } of texts) if (length > 0) size += delimitedSize(length);
  const writer = new WireWriter(size);
  texts.forEach((bytes, i) => {
    if (bytes.length > 0) writer.bytes(i + 1, bytes);
  });
  return writer.buffer;
}

/** What the server gives a meaning goes on under the names under which it came. */
function encodeRequestParameters(parameters: RequestParameters): Buffer {
  if (parameters === NO_PARAMETERS) return NOTHING;
  const all = new Map<string, ParameterValue>(parameters.custom);
  const { sequenceId, priority, timeoutMs } = parameters;
  if (sequenceId !== 0 && sequenceId !== 0n && sequenceId !== '') {
    all.set('sequence_id', sequenceId);
    all.set('sequence_start', parameters.sequenceStart);
    all.set('sequence_end', parameters.sequenceEnd);
  }
  if (priority > 0) all.set('priority', priority);
  if (timeoutMs > 0) all.set('timeout', Math.round(timeoutMs * 1000));
  return all.size === 0 ? NOTHING : encodeParameters(all);
}

/** InferRequestedOutputTensor with nothing but a name. */
function writeOutputName(writer: WireWriter, name: Buffer): void {
  writer.delimited(6, delimitedSize(name.length));
  writer.bytes(1, name);
}

/** Servers that are not Triton may answer with typed contents. */
function withData(outputs: readonly WireTensor[], raw: readonly Buffer[], model: string): Tensor[] {
  return outputs.map(({ name, dataType: typeName, shape, contents }, i) => {
    const dataType = dataTypeFromName(typeName);
    const data = raw[i] ?? (contents && readContents(contents, { name, dataType, model }));
    if (data) return { name, dataType, shape, data };
    throw new RuntimeError('BACKEND_FAILED', `there are no data for output '${name}'`);
  });
}
