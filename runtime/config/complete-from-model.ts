// Fills in what only the model itself can tell: its inputs, outputs and whether it can be batched. Pure. Rules: Triton's ONNX
// backend (AutoCompleteConfig), save that a written `max_batch_size: 0` is honoured and that tensors keep the model's order.

import { configNameOf } from '../core/data-type.js';
import { RuntimeError } from '../core/errors.js';
import type { TensorMetadata } from '../core/model-catalog.js';
import { sequenceTensors } from './sequence-config.js';
import type {
  ModelConfigMessage,
  ModelOutputMessage,
  TensorMessage,
} from './model-config-message.js';

/** What ONNX Runtime says of a model: sizes it leaves open are -1, a scalar has no dimensions. */
export interface ModelTensors {
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

export interface CompletionOptions {
  /** For a batchable model whose configuration names no size (--backend-config=onnxruntime,default-max-batch-size=N). */
  readonly defaultMaxBatchSize: number;
  /** Lines of labels.txt in the model directory; undefined when there is no such file. */
  readonly labelCount?: number;
}

/** @throws RuntimeError INVALID_ARGUMENT when the configuration wants batches and the model has no batch dimension */
export function completeFromModel(
  message: ModelConfigMessage,
  model: ModelTensors,
  options: CompletionOptions,
): ModelConfigMessage {
  const hasInputs = Boolean(message.input?.length || message.batch_input?.length);
  const hasOutputs = Boolean(message.output?.length);
  if (hasInputs && hasOutputs) return message;
  const batching = completeBatching(message, model, options);
  const batched = (batching.max_batch_size ?? 0) > 0;
  const hidden = sequenceTensors(message);
  const inputs = model.inputs.filter(({ name }) => !hidden.inputs.has(name));
  const outputs = model.outputs.filter(({ name }) => !hidden.outputs.has(name));
  return {
    ...batching,
    ...(!hasInputs && { input: inputs.map((tensor) => tensorMessage(tensor, batched)) }),
    ...(!hasOutputs && { output: withLabels(outputs, batched, options.labelCount) }),
  };
}

// ---- details below; callers need not read ----

function completeBatching(
  message: ModelConfigMessage,
  model: ModelTensors,
  options: CompletionOptions,
): ModelConfigMessage {
  // Without inputs nothing says how many rows are wanted.
  const batchable =
    model.inputs.length > 0 &&
    [...model.inputs, ...model.outputs].every((tensor) => tensor.shape[0] === -1);
  if (!batchable) {
    if (!message.max_batch_size) return message;
    throw new RuntimeError(
      'INVALID_ARGUMENT',
      `autofill failed for model '${message.name ?? ''}': model does not support batching while non-zero max_batch_size ` +
        'is specified',
    );
  }
  const size = message.max_batch_size ?? Math.max(options.defaultMaxBatchSize, 0);
  const scheduled = message.dynamic_batching ?? message.sequence_batching;
  return {
    ...message,
    max_batch_size: size,
    ...(size > 1 && !scheduled && { dynamic_batching: {} }),
  };
}

function tensorMessage(tensor: TensorMetadata, batched: boolean): TensorMessage {
  const dims = batched ? tensor.shape.slice(1) : tensor.shape;
  const named = { name: tensor.name, data_type: configNameOf(tensor.dataType) };
  if (dims.length > 0) return { ...named, dims: [...dims] };
  // A configuration has no way to write a scalar: it is one element, which the model sees without the dimension.
  return { ...named, dims: [1], ...(batched && { reshape: { shape: [] } }) };
}

/** labels.txt belongs to the one output whose rows have as many elements as it has lines. */
function withLabels(
  outputs: readonly TensorMetadata[],
  batched: boolean,
  labelCount: number | undefined,
): ModelOutputMessage[] {
  const messages: ModelOutputMessage[] = outputs.map((tensor) => tensorMessage(tensor, batched));
  const fitting = messages.filter(
    ({ dims }) => labelCount !== undefined && dims?.at(-1) === labelCount,
  );
  if (fitting.length === 1) fitting[0]!.label_filename = LABEL_FILENAME;
  return messages;
}

export const LABEL_FILENAME = 'labels.txt';
