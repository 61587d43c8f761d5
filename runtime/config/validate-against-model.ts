// Compares a completed configuration with the tensors that ONNX Runtime found in the model. Texts: Triton's ONNX backend.
// An input may narrow a size the model leaves open; an output must agree exactly. Ragged inputs are vectors to the model.

import { dataTypeFromConfig, type DataType } from '../core/data-type.js';
import type { TensorMetadata } from '../core/model-catalog.js';
import { formatShape } from '../core/tensor.js';
import type { ModelTensors } from './complete-from-model.js';
import type { ConfigProblem } from './config-problem.js';
import { sequenceTensors } from './sequence-config.js';
import type { ModelConfigMessage, TensorMessage } from './model-config-message.js';
import { batchInputKind, batchInputRank, type BatchInputKind } from './ragged-config.js';

export function validateAgainstModel(
  message: ModelConfigMessage,
  model: ModelTensors,
): ConfigProblem[] {
  const name = message.name ?? '';
  const made = batchInputTargets(message);
  const expected =
    (message.input?.length ?? 0) + made.length + sequenceTensors(message).inputs.size;
  const countProblem = {
    path: 'input',
    message: `unable to load model '${name}', configuration expects ${expected} inputs, model provides ${model.inputs.length}`,
  };
  const comparison = { name, maxBatchSize: message.max_batch_size ?? 0 };
  return [
    ...unbatchedRaggedProblems(message),
    ...(expected === model.inputs.length ? [] : [countProblem]),
    ...(message.input ?? []).flatMap((tensor, index) =>
      compare(tensor, model.inputs, {
        ...{ ...comparison, side: 'input', path: `input[${index}]` },
        shapeProblem: tensor.allow_ragged_batch ? raggedMismatch : shapeMismatch,
      }),
    ),
    ...made.flatMap((target) =>
      compare(target.tensor, model.inputs, {
        ...{ ...comparison, side: 'input', path: target.path },
        shapeProblem: (tensor, shape, at) => rankMismatch(target.kind, { tensor, shape }, at),
      }),
    ),
    ...(message.output ?? []).flatMap((tensor, index) =>
      compare(tensor, model.outputs, {
        ...{ ...comparison, side: 'output', path: `output[${index}]` },
        // How a scattered output is divided says nothing of its shape.
        shapeProblem: isScattered(message, tensor) ? () => undefined : shapeMismatch,
      }),
    ),
  ];
}

// ---- details below; callers need not read ----

interface Comparison {
  readonly name: string;
  readonly maxBatchSize: number;
  readonly side: 'input' | 'output';
  readonly path: string;
  readonly shapeProblem: ShapeProblem;
}

type ShapeProblem = (
  tensor: TensorMessage,
  shape: readonly number[],
  at: Comparison,
) => string | undefined;

interface BatchInputTarget {
  readonly path: string;
  readonly kind: BatchInputKind;
  readonly tensor: TensorMessage;
}

/** The inputs of the model that the server makes. */
function batchInputTargets(message: ModelConfigMessage): BatchInputTarget[] {
  return (message.batch_input ?? []).flatMap((batchInput, index) =>
    (batchInput.target_name ?? []).map((name) => ({
      path: `batch_input[${index}]`,
      kind: batchInputKind(batchInput),
      tensor: { name, data_type: batchInput.data_type ?? 'TYPE_INVALID' },
    })),
  );
}

function isScattered(
  { batch_output: outputs = [] }: ModelConfigMessage,
  { name = '' }: TensorMessage,
): boolean {
  return outputs.some(({ target_name: targets = [] }) => targets.includes(name));
}

/** Found here and not before, as the model may have completed the batch size. */
function unbatchedRaggedProblems(message: ModelConfigMessage): ConfigProblem[] {
  if ((message.max_batch_size ?? 0) > 0) return [];
  return (['batch_input', 'batch_output'] as const).flatMap((path) => {
    if (!message[path]?.length) return [];
    return [{ path, message: `${path} expects max_batch_size > 0 for ${message.name ?? ''}` }];
  });
}

function compare(
  tensor: TensorMessage,
  provided: readonly TensorMetadata[],
  comparison: Comparison,
): ConfigProblem[] {
  const { side, path } = comparison;
  const tensorName = tensor.name ?? '';
  const found = provided.find((candidate) => candidate.name === tensorName);
  if (!found) {
    const allowed = provided
      .map((candidate) => candidate.name)
      .sort()
      .join(', ');
    const message = `unexpected inference ${side} '${tensorName}', allowed ${side}s are: ${allowed}`;
    return [{ path: `${path}.name`, message }];
  }
  const mismatch = comparison.shapeProblem(tensor, found.shape, comparison);
  return [
    ...typeProblems(tensor, found.dataType, comparison),
    ...(mismatch === undefined ? [] : [{ path: `${path}.dims`, message: mismatch }]),
  ];
}

function typeProblems(tensor: TensorMessage, provided: DataType, at: Comparison): ConfigProblem[] {
  const wanted = tensor.data_type ?? 'TYPE_INVALID';
  if (dataTypeFromConfig(wanted) === provided) return [];
  const message =
    `unable to load model '${at.name}', configuration expects datatype ${wanted} for ${at.side} '${tensor.name ?? ''}', ` +
    `model provides TYPE_${provided}`;
  return [{ path: `${at.path}.data_type`, message }];
}

function shapeMismatch(
  tensor: TensorMessage,
  shape: readonly number[],
  at: Comparison,
): string | undefined {
  const dims = (tensor.reshape ? (tensor.reshape.shape ?? []) : (tensor.dims ?? [])).map(Number);
  if (shape.length === 0) return scalarMismatch(tensor, dims, at);
  return at.maxBatchSize > 0
    ? batchedMismatch(tensor, { dims: [-1, ...dims], shape }, at)
    : unbatchedMismatch(tensor, { dims, shape }, at);
}

/** The requests of a batch are one vector to the model. The two spaces are Triton's. */
function raggedMismatch(
  tensor: TensorMessage,
  shape: readonly number[],
  at: Comparison,
): string | undefined {
  if (shape.length === 1 && shape[0] === -1) return undefined;
  return (
    `unable to load model '${at.name}', configuration expects model provides input with shape [-1]  for ragged input ` +
    `'${tensor.name ?? ''}', model provides ${formatShape(shape)}`
  );
}

/** Triton leaves that to the first request. */
function rankMismatch(
  kind: BatchInputKind,
  { tensor, shape }: { readonly tensor: TensorMessage; readonly shape: readonly number[] },
  at: Comparison,
): string | undefined {
  const rank = batchInputRank(kind);
  // A model that does not tell the rank looks like one that has none.
  if (shape.length === rank || shape.length === 0) return undefined;
  return (
    `model '${at.name}', tensor '${tensor.name ?? ''}': the model expects ${shape.length} dimensions ` +
    `(shape ${formatShape(shape)}) but batch input kind '${kind}' has ${rank}`
  );
}

function scalarMismatch(tensor: TensorMessage, dims: number[], at: Comparison): string | undefined {
  if (dims.every((size) => size === 1)) return undefined;
  return (
    `unable to load model '${at.name}', scalar tensor '${tensor.name ?? ''}', should only provide 1 in the model ` +
    `configuration when the model doesn't support batching. Model configuration provided: ${formatShape(dims)}.`
  );
}

interface Shapes {
  readonly dims: readonly number[];
  readonly shape: readonly number[];
}

function batchedMismatch(
  tensor: TensorMessage,
  { dims, shape }: Shapes,
  at: Comparison,
): string | undefined {
  const start = `model '${at.name}', tensor '${tensor.name ?? ''}': `;
  if (shape[0] !== -1) {
    return (
      `${start}for the model to support batching the shape should have at least 1 dimension and the first dimension ` +
      `must be -1; but shape expected by the model is ${formatShape(shape)}`
    );
  }
  if (agree(dims, shape, at.side)) return undefined;
  return (
    `${start}the model expects ${shape.length} dimensions (shape ${formatShape(shape)}) but the model configuration ` +
    `specifies ${dims.length} dimensions (an initial batch dimension because max_batch_size > 0 followed by the explicit ` +
    `tensor shape, making complete shape ${formatShape(dims)})`
  );
}

function unbatchedMismatch(
  tensor: TensorMessage,
  { dims, shape }: Shapes,
  at: Comparison,
): string | undefined {
  if (agree(dims, shape, at.side)) return undefined;
  return (
    `model '${at.name}', tensor '${tensor.name ?? ''}': the model expects ${shape.length} dimensions ` +
    `(shape ${formatShape(shape)}) but the model configuration specifies ${dims.length} dimensions ` +
    `(shape ${formatShape(dims)})`
  );
}

function agree(
  dims: readonly number[],
  shape: readonly number[],
  side: 'input' | 'output',
): boolean {
  if (dims.length !== shape.length) return false;
  return shape.every((size, i) => size === dims[i] || (side === 'input' && size === -1));
}
