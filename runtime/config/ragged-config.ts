// What a configuration says of ragged batches: which inputs requests may bring in shapes of their own, which tensors the server
// makes for the model from those shapes, and which outputs are divided by them.

import type { BatchTensorMessage, ModelConfigMessage } from './model-config-message.js';

export const BATCH_INPUT_KINDS = [
  'BATCH_ELEMENT_COUNT',
  'BATCH_ACCUMULATED_ELEMENT_COUNT',
  'BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO',
  'BATCH_MAX_ELEMENT_COUNT_AS_SHAPE',
  'BATCH_ITEM_SHAPE',
  'BATCH_ITEM_SHAPE_FLATTEN',
] as const;

export type BatchInputKind = (typeof BATCH_INPUT_KINDS)[number];

export interface BatchInputSpec {
  readonly kind: BatchInputKind;
  readonly dataType: 'FP32' | 'INT32';
  /** Inputs of the model that get it, one or more; no client can give them. */
  readonly targets: readonly string[];
  /** Place of the input whose shapes it tells, in the order of the configuration. */
  readonly source: number;
}

export interface RaggedConfig {
  /** Places of the inputs that are concatenated flat, into one dimension. */
  readonly inputs: ReadonlySet<number>;
  readonly batchInputs: readonly BatchInputSpec[];
  /** Name of an output → place of the input by whose shapes it is divided; others are divided by rows. */
  readonly scattered: ReadonlyMap<string, number>;
}

/** Undefined where nothing is ragged. `message` must be valid (validate-ragged). */
export function raggedConfig(message: ModelConfigMessage): RaggedConfig | undefined {
  const names = (message.input ?? []).map(({ name = '' }) => name);
  const flags = (message.input ?? []).map(({ allow_ragged_batch: ragged }) => ragged === true);
  const batchInputs = message.batch_input ?? [];
  const batchOutputs = message.batch_output ?? [];
  if (!flags.includes(true) && batchInputs.length + batchOutputs.length === 0) return undefined;
  const sourceOf = ({ source_input: [source = ''] = [] }: BatchTensorMessage): number =>
    names.indexOf(source);
  return Object.freeze({
    inputs: new Set(flags.flatMap((ragged, index) => (ragged ? [index] : []))),
    batchInputs: batchInputs
      .filter(({ target_name: targets }) => targets?.length)
      .map((tensor) => batchInputSpec(tensor, sourceOf(tensor))),
    scattered: new Map(
      batchOutputs.flatMap((tensor) =>
        (tensor.target_name ?? []).map((name): [string, number] => [name, sourceOf(tensor)]),
      ),
    ),
  });
}

/** What the wire leaves out is the first kind. */
export function batchInputKind({ kind }: BatchTensorMessage): BatchInputKind {
  return BATCH_INPUT_KINDS.find((known) => known === kind) ?? 'BATCH_ELEMENT_COUNT';
}

/** Dimensions of the tensor that a kind makes. */
export function batchInputRank(kind: BatchInputKind): number {
  return kind === 'BATCH_ITEM_SHAPE' ? 2 : 1;
}

// ---- details below; callers need not read ----

function batchInputSpec(tensor: BatchTensorMessage, source: number): BatchInputSpec {
  return {
    kind: batchInputKind(tensor),
    dataType: tensor.data_type === 'TYPE_FP32' ? 'FP32' : 'INT32',
    targets: tensor.target_name ?? [],
    source,
  };
}
