// PURE: Triton's texts for inputs that do not fit the configuration, of requests and of the samples that a model is warmed up with.

import type { DataType } from '../core/data-type.js';
import { formatShape, type Tensor } from '../core/tensor.js';
import type { ModelConfig, TensorSpec } from './model-config.js';

type Model = Pick<ModelConfig, 'name' | 'batched'>;

export function wrongTypeText(got: DataType, { name, dataType }: TensorSpec, model: Model): string {
  const type = got === 'INVALID' ? '<invalid>' : got;
  return `inference input '${name}' data-type is '${type}', but model '${model.name}' expects '${dataType}'`;
}

/** `shape`: with the batch dimension, if the model is batched. */
export function wrongShapeText(
  shape: Tensor['shape'],
  { name, dims }: TensorSpec,
  model: Model,
): string {
  const expected = formatShape(model.batched ? [-1, ...dims] : dims);
  return (
    `unexpected shape for input '${name}' for model '${model.name}'. Expected ${expected}, got ${formatShape(shape)}. ` +
    (model.batched ? BATCH_NOTE : '')
  );
}

// ---- details below; callers need not read ----

const BATCH_NOTE =
  'NOTE: Setting a non-zero max_batch_size in the model config requires a batch dimension to be prepended to each input ' +
  'shape. If you want to specify the full shape including the batch dim in your input dims config, try setting ' +
  'max_batch_size to zero. See the model configuration docs for more info on max_batch_size.';
