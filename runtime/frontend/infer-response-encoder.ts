// InferenceResponse -> inference.ModelInferResponse, by hand: the size first, then one buffer, into which the outputs are copied
// once. Outputs always go out as raw_output_contents.

import { RuntimeError } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import type { Tensor } from '../core/tensor.js';
import { encodeParameters } from './response-parameters.js';
import { WireWriter, cachedUtf8, delimitedSize, varintSize } from './wire-writer.js';

/** gRPC's limit of a message. */
const MAX_MESSAGE_BYTES = 2 ** 31 - 1;

const NOTHING = Buffer.alloc(0);

/** `id` is returned as it came. @throws RuntimeError INVALID_ARGUMENT for a response that gRPC cannot carry */
export function encodeInferResponse(response: InferenceResponse, id: string): Buffer {
  const name = cachedUtf8(response.modelName);
  const version = cachedUtf8(response.modelVersion);
  const idBytes = id === '' ? undefined : Buffer.from(id);
  const { outputs } = response;
  const parameters = response.parameters ? encodeParameters(response.parameters) : NOTHING;
  let size = delimitedSize(name.length) + delimitedSize(version.length) + parameters.length;
  if (idBytes) size += delimitedSize(idBytes.length);
  for (const output of outputs)
    size += delimitedSize(outputSize(output)) + delimitedSize(output.data.length);
  if (size > MAX_MESSAGE_BYTES) {
    const text = `Response has byte size ${size} which exceeds gRPC's byte size limit ${MAX_MESSAGE_BYTES}.`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }
  const writer = new WireWriter(size);
  writer.bytes(1, name);
  writer.bytes(2, version);
  if (idBytes) writer.bytes(3, idBytes);
  writer.raw(parameters);
  for (const output of outputs) writeOutput(writer, output);
  for (const { data } of outputs) writer.bytes(6, data);
  return writer.buffer;
}

function outputSize({ name, dataType, shape }: Tensor): number {
  const dims = shapeSize(shape);
  return (
    delimitedSize(cachedUtf8(name).length) +
    delimitedSize(dataType.length) +
    (dims === 0 ? 0 : delimitedSize(dims))
  );
}

function shapeSize(shape: readonly number[]): number {
  let size = 0;
  for (const dim of shape) size += varintSize(dim);
  return size;
}

function writeOutput(writer: WireWriter, output: Tensor): void {
  const { name, dataType, shape } = output;
  writer.delimited(5, outputSize(output));
  writer.bytes(1, cachedUtf8(name));
  writer.bytes(2, cachedUtf8(dataType));
  const dims = shapeSize(shape);
  if (dims === 0) return;
  writer.delimited(3, dims);
  for (const dim of shape) writer.varint(dim);
}
