// The outputs that a request asks for: as they are, as classes, or in shared memory. Texts: Triton's.

import { RuntimeError } from '../core/errors.js';
import type { RequestedOutput } from '../core/inference.js';
import type { WireParameter } from '../wire/infer-parameter.js';
import type { SharedMemoryPlace } from './shared-memory-region.js';
import { placeFromParameters, type OutputPlaces } from './shared-memory-tensors.js';
import type { SharedMemory } from './shared-memory.js';

/** An output as it stands in the message. */
export interface WireOutput {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, WireParameter> | undefined;
}

/** @throws RuntimeError INVALID_ARGUMENT */
export function requestedOutput({ name, parameters }: WireOutput): RequestedOutput {
  const classification = parameters?.get('classification');
  if (!classification) return { name, classCount: 0 };
  if (classification.type !== 'int64')
    throw invalid("invalid value type for 'classification' parameter, expected int64_param.");
  const classCount = Number(classification.value);
  if (classCount > 0) return { name, classCount };
  throw invalid("invalid value for 'classification' parameter, expected >= 0");
}

/** Undefined: all of them are wanted in the response. @throws RuntimeError INVALID_ARGUMENT, or NOT_FOUND for a region */
export function outputPlaces(
  outputs: readonly WireOutput[],
  memory: Pick<SharedMemory, 'place'>,
): OutputPlaces | undefined {
  let places: Map<string, SharedMemoryPlace> | undefined;
  for (const { name, parameters } of outputs) {
    const place = parameters && placeFromParameters(name, parameters);
    if (!place) continue;
    if (parameters.has('classification'))
      throw invalid("output can't set both 'shared_memory_region' and 'classification'");
    (places ??= new Map()).set(name, memory.place(place));
  }
  return places;
}

function invalid(text: string): RuntimeError {
  return new RuntimeError('INVALID_ARGUMENT', text);
}
