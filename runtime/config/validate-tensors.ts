// Checks the inputs and outputs of a configuration, as far as that goes without the model. Texts: Triton's ValidateModelIOConfig, which ends each
// with " for <model>".

import type { ConfigProblem } from './config-problem.js';
import type {
  Int64,
  ModelConfigMessage,
  ModelInputMessage,
  TensorMessage,
} from './model-config-message.js';
import { raggedProblems } from './validate-ragged.js';

export function validateTensors(message: ModelConfigMessage): ConfigProblem[] {
  const batched = (message.max_batch_size ?? 0) > 0;
  const inputs = (message.input ?? []).flatMap((tensor, index) => {
    const context = { what: 'model input ', path: `input[${index}]`, batched };
    return [...tensorProblems(tensor, context), ...formatProblems(tensor, context)];
  });
  const outputs = (message.output ?? []).flatMap((tensor, index) =>
    tensorProblems(tensor, { what: 'model output ', path: `output[${index}]`, batched }),
  );
  return [...inputs, ...outputs, ...raggedProblems(message)].map((problem) => ({
    ...problem,
    message: `${problem.message} for ${message.name ?? ''}`,
  }));
}

// ---- details below; callers need not read ----

interface Context {
  readonly what: string;
  readonly path: string;
  readonly batched: boolean;
}

function tensorProblems(tensor: TensorMessage, context: Context): ConfigProblem[] {
  const { what, path } = context;
  if (!tensor.name) return [{ path: `${path}.name`, message: `${what}must specify 'name'` }];
  const problems = [...dimsComplaints(tensor), ...reshapeComplaints(tensor, context.batched)];
  return [
    ...problems.map(([field, text]) => ({
      path: `${path}.${field}`,
      message: `${what}'${tensor.name!}' ${text}`,
    })),
    ...foreignProblems(tensor, path),
  ];
}

const SIZES = 'must be integer >= 1, or -1 to indicate a variable-size dimension';

/** Pairs of a field and what is wrong with it. */
type Complaint = readonly [field: string, text: string];

function dimsComplaints({ data_type: type, dims }: TensorMessage): Complaint[] {
  const complaints: Complaint[] = [];
  if (!type || type === 'TYPE_INVALID') complaints.push(['data_type', "must specify 'data_type'"]);
  if (!dims?.length) complaints.push(['dims', "must specify 'dims'"]);
  if (dims?.some(isNoSize)) complaints.push(['dims', `dimension ${SIZES}`]);
  return complaints;
}

function reshapeComplaints({ dims, reshape }: TensorMessage, batched: boolean): Complaint[] {
  if (!reshape) return [];
  const shape = reshape.shape ?? [];
  if (shape.length === 0 && !batched) {
    const text =
      'cannot have empty reshape for non-batching model as scalar tensors are not supported';
    return [['reshape', text]];
  }
  if (shape.some(isNoSize)) return [['reshape', `reshape dimensions ${SIZES}`]];
  const mismatch = reshapeMismatch((dims ?? []).map(Number), shape.map(Number));
  return mismatch === undefined ? [] : [['reshape', mismatch]];
}

function isNoSize(size: Int64): boolean {
  return Number(size) < 1 && Number(size) !== -1;
}

/**
 * dims and reshape must hold the same elements: as many variable sizes, with equal products before, between and after
 * them ([2,4,-1,6] and [8,-1,1,6] do). An empty reshape is one element.
 */
function reshapeMismatch(dims: number[], reshape: number[]): string | undefined {
  const products = (sizes: number[]): number[] =>
    sizes.reduce(
      (all, size) => (size === -1 ? [...all, 1] : [...all.slice(0, -1), all.at(-1)! * size]),
      [1],
    );
  const [a, b] = [products(dims), products(reshape)];
  if (a.length !== b.length) {
    return a.length > 1 && b.length > 1
      ? 'has different number of variable-size dimensions for dims and reshape'
      : 'has different size for dims and reshape';
  }
  return a.every((product, i) => product === b[i])
    ? undefined
    : 'has different size for dims and reshape';
}

function foreignProblems(tensor: TensorMessage, path: string): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (tensor.is_shape_tensor)
    problems.push({
      path: `${path}.is_shape_tensor`,
      message: 'shape tensors are only supported for TensorRT platform',
    });
  if (tensor.is_non_linear_format_io)
    problems.push({
      path: `${path}.is_non_linear_format_io`,
      message: 'Non-linear IO format is only supported for the TensorRT platform',
    });
  return problems;
}

function formatProblems(tensor: ModelInputMessage, { path }: Context): ConfigProblem[] {
  const image = tensor.format === 'FORMAT_NHWC' || tensor.format === 'FORMAT_NCHW';
  if (!image || tensor.dims?.length === 3) return [];
  return [{ path: `${path}.format`, message: 'model input NHWC/NCHW require 3 dims' }];
}
