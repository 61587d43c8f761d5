// The shape of a row as users give and get it, and as the model sees it: they differ where the configuration reshapes.

import type { ModelConfig, TensorSpec } from '../config/model-config.js';

/** What the model sees of a row of an input that was given with `shape`; of the whole tensor without batching. */
export function modelRow(
  { batched }: ModelConfig,
  spec: TensorSpec,
  shape: readonly number[],
): readonly number[] {
  const row = batched ? shape.slice(1) : shape;
  return spec.reshaped ? renameSizes(row, spec.dims, spec.modelDims) : row;
}

/** What users get as the shape of a row of an output. */
export function userRow(spec: TensorSpec, row: readonly number[]): readonly number[] {
  return spec.reshaped ? renameSizes(row, spec.modelDims, spec.dims) : row;
}

// ---- details below; callers need not read ----

/** `to` with its -1s replaced, in order, by the sizes that `from` has at its -1s. */
function renameSizes(
  sizes: readonly number[],
  from: readonly number[],
  to: readonly number[],
): number[] {
  const variable = sizes.filter((_, i) => from[i] === -1);
  let next = 0;
  return to.map((size) => (size === -1 ? variable[next++]! : size));
}
