// Requests and answers in the names of another model. As in the steps of an ensemble the maps go from the other model's names to ours.
// An empty map leaves all tensors as they are; otherwise those it does not name are left out.

import { RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse, RequestedOutput } from '../core/inference.js';
import type { TensorMetadata } from '../core/model-catalog.js';
import type { Tensor } from '../core/tensor.js';

export interface TensorNames {
  /** Its name of an input → ours. */
  readonly inputs: ReadonlyMap<string, string>;
  /** Its name of an output → ours. */
  readonly outputs: ReadonlyMap<string, string>;
}

/** Our request as one of the other model. */
export function requestInNames(request: InferenceRequest, names: TensorNames): InferenceRequest {
  if (names.inputs.size === 0 && names.outputs.size === 0) return request;
  return {
    ...request,
    inputs: renamedInputs(request.inputs, names.inputs),
    outputs: renamedOutputs(request.outputs, names.outputs),
  };
}

/**
 * The outputs of the other model as ours; what is none of `ours` is left out. They may have other shapes.
 * @throws RuntimeError BACKEND_FAILED: there is nothing of ours, or of another type, since the other model is not what it was
 */
export function outputsInNames(
  { outputs, modelName }: InferenceResponse,
  names: TensorNames,
  ours: readonly TensorMetadata[],
): readonly Tensor[] {
  const renamed = outputs.flatMap((tensor) => {
    const name = names.outputs.size === 0 ? tensor.name : names.outputs.get(tensor.name);
    const declared = ours.find((output) => output.name === name);
    if (!declared) return [];
    if (tensor.dataType !== declared.dataType) {
      const text = `fallback '${modelName}' answered ${tensor.dataType} for output '${declared.name}', which is ${declared.dataType}`;
      throw new RuntimeError('BACKEND_FAILED', text);
    }
    return [tensor.name === declared.name ? tensor : { ...tensor, name: declared.name }];
  });
  if (renamed.length > 0) return renamed;
  throw new RuntimeError('BACKEND_FAILED', `fallback '${modelName}' answered none of the outputs`);
}

// ---- details below; callers need not read ----

/** One of ours may be several of the other model's. */
function renamedInputs(
  inputs: readonly Tensor[],
  map: ReadonlyMap<string, string>,
): readonly Tensor[] {
  if (map.size === 0) return inputs;
  return [...map].flatMap(([theirs, ours]) => {
    const tensor = inputs.find(({ name }) => name === ours);
    return tensor ? [{ ...tensor, name: theirs }] : [];
  });
}

function renamedOutputs(
  outputs: readonly RequestedOutput[],
  map: ReadonlyMap<string, string>,
): readonly RequestedOutput[] {
  if (map.size === 0) return outputs;
  return outputs.flatMap((output) =>
    [...map]
      .filter(([, ours]) => ours === output.name)
      .map(([theirs]) => ({ ...output, name: theirs })),
  );
}
