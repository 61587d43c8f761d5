// Tensors in shared memory: what the parameters of an input or output say of it, and the outputs of a response put there. For unary
// calls and for streams. Texts: Triton's.

import { RuntimeError } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import type { Tensor } from '../core/tensor.js';
import type { WireParameter } from '../wire/infer-parameter.js';
import type { SharedMemoryPlace } from './shared-memory-region.js';
import type { PlaceInRegion } from './shared-memory.js';

/** Places for outputs, by their names. */
export type OutputPlaces = ReadonlyMap<string, SharedMemoryPlace>;

/** Undefined: the tensor is not in shared memory. @throws RuntimeError INVALID_ARGUMENT */
export function placeFromParameters(
  tensor: string,
  parameters: ReadonlyMap<string, WireParameter>,
): PlaceInRegion | undefined {
  const region = parameters.get('shared_memory_region');
  if (!region) {
    for (const key of [OFFSET, BYTE_SIZE])
      if (parameters.has(key)) throw withoutRegion(key, tensor);
    return undefined;
  }
  const name = checked('shared_memory_region', region, { type: 'string', tensor });
  const offset = parameters.get(OFFSET);
  const byteSize = parameters.get(BYTE_SIZE);
  if (!byteSize)
    throw invalid(
      `'${BYTE_SIZE}' must be specified along with 'shared_memory_region' parameter for tensor '${tensor}'`,
    );
  return {
    region: String(name),
    offset: offset ? Number(checked(OFFSET, offset, { type: 'int64', tensor })) : 0,
    byteSize: Number(checked(BYTE_SIZE, byteSize, { type: 'int64', tensor })),
  };
}

/**
 * Writes outputs to their places; in the response they keep name, type and shape, without data.
 * @throws RuntimeError INTERNAL when one does not fit, and what the region throws
 */
export function withOutputsInPlace(
  response: InferenceResponse,
  places: OutputPlaces,
): InferenceResponse {
  const outputs = response.outputs.map((output) => {
    const place = places.get(output.name);
    return place ? inPlace(output, place) : output;
  });
  return { ...response, outputs };
}

// ---- details below; callers need not read ----

const OFFSET = 'shared_memory_offset';
const BYTE_SIZE = 'shared_memory_byte_size';

const NOTHING = new Uint8Array(0);

function inPlace(output: Tensor, place: SharedMemoryPlace): Tensor {
  const { name, data } = output;
  if (data.length > place.byteSize) {
    const text =
      `shared memory size specified with the request for output '${name}' (${place.byteSize} bytes) ` +
      `should be at least ${data.length} bytes to hold the results`;
    throw new RuntimeError('INTERNAL', text);
  }
  place.write(data);
  return { ...output, data: NOTHING };
}

function checked(
  key: string,
  parameter: WireParameter,
  { type, tensor }: { type: 'string' | 'int64'; tensor: string },
): WireParameter['value'] {
  if (parameter.type === type) return parameter.value;
  throw invalid(
    `invalid value type for '${key}' parameter for tensor '${tensor}', expected ${type}_param.`,
  );
}

function withoutRegion(key: string, tensor: string): RuntimeError {
  return invalid(
    `'${key}' can not be specified without 'shared_memory_region' parameter for tensor '${tensor}'`,
  );
}

function invalid(text: string): RuntimeError {
  return new RuntimeError('INVALID_ARGUMENT', text);
}
