// InferenceResponse -> inference.ModelInferResponse, by itself or inside a ModelStreamInferResponse, by hand: the size first, then one
// buffer, into which the outputs are copied once. Outputs always go out as raw_output_contents.

import { RuntimeError } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import { ERROR_STATUS, FINAL_RESPONSE } from '../wire/stream-parameters.js';
import { tensorSize, writeTensor } from '../wire/wire-tensor.js';
import { WireWriter, cachedUtf8, delimitedSize } from '../wire/wire-writer.js';
import { encodeParameters } from './response-parameters.js';

/** gRPC's limit of a message. */
const MAX_MESSAGE_BYTES = 2 ** 31 - 1;

const NOTHING = Buffer.alloc(0);

/** `id` is returned as it came. @throws RuntimeError INVALID_ARGUMENT for a response that gRPC cannot carry */
export function encodeInferResponse(response: InferenceResponse, id: string): Buffer {
  const parameters = response.parameters ? encodeParameters(response.parameters) : NOTHING;
  return encode(response, { id, parameters, isInStream: false });
}

/**
 * As a ModelStreamInferResponse, which says whether another one for the same request may follow.
 * @throws RuntimeError INVALID_ARGUMENT for a response that gRPC cannot carry
 */
export function encodeStreamResponse(
  response: InferenceResponse,
  { id, isFinal }: { readonly id: string; readonly isFinal: boolean },
): Buffer {
  const final = isFinal ? FINAL : NOT_FINAL;
  const parameters = response.parameters
    ? Buffer.concat([encodeParameters(response.parameters), final])
    : final;
  return encode(response, { id, parameters, isInStream: true });
}

/** A ModelStreamInferResponse that says what went wrong with the request of that id; `status`: the code of gRPC, where it is asked for. */
export function encodeStreamError(
  text: string,
  { id, status }: { readonly id: string; readonly status?: number | undefined },
): Buffer {
  const textBytes = Buffer.from(text);
  const idBytes = Buffer.from(id);
  const parameters =
    status === undefined ? NOTHING : encodeParameters(new Map([[ERROR_STATUS, status]]));
  const size = (id === '' ? 0 : delimitedSize(idBytes.length)) + parameters.length;
  const writer = new WireWriter(delimitedSize(textBytes.length) + delimitedSize(size));
  writer.bytes(1, textBytes);
  writer.delimited(2, size);
  if (id !== '') writer.bytes(3, idBytes);
  writer.raw(parameters);
  return writer.buffer;
}

// ---- details below; callers need not read ----

const FINAL = encodeParameters(new Map([[FINAL_RESPONSE, true]]));
const NOT_FINAL = encodeParameters(new Map([[FINAL_RESPONSE, false]]));

interface Envelope {
  readonly id: string;
  readonly parameters: Buffer;
  /** The response is field 2 of a ModelStreamInferResponse. */
  readonly isInStream: boolean;
}

function encode(
  { modelName, modelVersion, outputs }: InferenceResponse,
  { id, parameters, isInStream }: Envelope,
): Buffer {
  const name = cachedUtf8(modelName);
  const version = cachedUtf8(modelVersion);
  const idBytes = id === '' ? undefined : Buffer.from(id);
  let size = delimitedSize(name.length) + delimitedSize(version.length) + parameters.length;
  if (idBytes) size += delimitedSize(idBytes.length);
  for (const output of outputs)
    size += delimitedSize(tensorSize(output)) + delimitedSize(output.data.length);
  const wholeSize = isInStream ? delimitedSize(size) : size;
  if (wholeSize > MAX_MESSAGE_BYTES) {
    const text = `Response has byte size ${wholeSize} which exceeds gRPC's byte size limit ${MAX_MESSAGE_BYTES}.`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }
  const writer = new WireWriter(wholeSize);
  if (isInStream) writer.delimited(2, size);
  writer.bytes(1, name);
  writer.bytes(2, version);
  if (idBytes) writer.bytes(3, idBytes);
  writer.raw(parameters);
  for (const output of outputs) writeTensor(writer, output);
  for (const { data } of outputs) writer.bytes(6, data);
  return writer.buffer;
}
