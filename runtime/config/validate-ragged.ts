// Checks batch_input and batch_output of a configuration: what is made from the shapes of ragged inputs, and divided by them.
// Texts: Triton's ValidateBatchIO, whose caller ends each with " for <model>"; where Triton checks nothing, ours in its manner.

import type { ConfigProblem } from './config-problem.js';
import type {
  BatchTensorMessage,
  ModelConfigMessage,
  ModelInputMessage,
  TensorMessage,
} from './model-config-message.js';

export function raggedProblems(message: ModelConfigMessage): ConfigProblem[] {
  return [
    ...(message.batch_input ?? []).flatMap((tensor, index) =>
      batchInputProblems(tensor, `batch_input[${index}]`, message),
    ),
    ...(message.batch_output ?? []).flatMap((tensor, index) =>
      batchOutputProblems(tensor, `batch_output[${index}]`, message),
    ),
    ...doubledProblems('input', message),
    ...doubledProblems('output', message),
  ];
}

// ---- details below; callers need not read ----

function batchInputProblems(
  tensor: BatchTensorMessage,
  path: string,
  message: ModelConfigMessage,
): ConfigProblem[] {
  const { data_type: type, kind = 'BATCH_ELEMENT_COUNT' } = tensor;
  const typed = type === 'TYPE_INT32' || type === 'TYPE_FP32';
  return [
    ...sourceProblems(tensor, { path, what: `batch input kind '${kind}'` }, message),
    ...(typed ? [] : [{ path, message: 'batch input data type must be TYPE_INT32 or TYPE_FP32' }]),
  ];
}

function batchOutputProblems(
  tensor: BatchTensorMessage,
  path: string,
  message: ModelConfigMessage,
): ConfigProblem[] {
  const { kind = 'BATCH_SCATTER_WITH_INPUT_SHAPE', target_name: targets = [] } = tensor;
  const source = message.input?.find(({ name }) => name === tensor.source_input?.[0]);
  return [
    ...sourceProblems(tensor, { path, what: `batch output kind '${kind}'` }, message),
    ...targets.flatMap((target) => {
      const output = message.output?.find(({ name }) => name === target);
      if (!output) return [{ path, message: `unknown target output name '${target}'` }];
      return source ? sizeProblems(output, source, path) : [];
    }),
  ];
}

function sourceProblems(
  { source_input: sources = [] }: BatchTensorMessage,
  { path, what }: { readonly path: string; readonly what: string },
  { input: inputs = [] }: ModelConfigMessage,
): ConfigProblem[] {
  const count = { path, message: `${what} expects 1 source input, got ${sources.length}` };
  return [
    ...(sources.length === 1 ? [] : [count]),
    ...sources
      .filter((source) => !inputs.some(({ name }) => name === source))
      .map((name) => ({ path, message: `unknown source input name '${name}'` })),
  ];
}

/** A size that an output leaves open is the one its source has at the same place. */
function sizeProblems(
  output: TensorMessage,
  source: ModelInputMessage,
  path: string,
): ConfigProblem[] {
  const sourceRank = modelDims(source).length;
  const missing = modelDims(output).findIndex((size, place) => size === -1 && place >= sourceRank);
  if (missing === -1) return [];
  const text =
    `target output '${output.name ?? ''}' has variable-size dimension ${missing}, which source input ` +
    `'${source.name ?? ''}' does not have`;
  return [{ path, message: text }];
}

function modelDims({ dims, reshape }: TensorMessage): number[] {
  return (reshape ? (reshape.shape ?? []) : (dims ?? [])).map(Number);
}

/** The model gets each of its inputs from one place, and an output is divided in one way. */
function doubledProblems(side: 'input' | 'output', message: ModelConfigMessage): ConfigProblem[] {
  const seen = new Set(side === 'input' ? message.input?.map(({ name }) => name) : []);
  const field = `batch_${side}` as const;
  return (message[field] ?? []).flatMap(({ target_name: targets = [] }, index) =>
    targets.flatMap((name) => {
      const isNew = !seen.has(name);
      seen.add(name);
      if (isNew) return [];
      const text = `target ${side} name '${name}' can only be specified once`;
      return [{ path: `${field}[${index}]`, message: text }];
    }),
  );
}
