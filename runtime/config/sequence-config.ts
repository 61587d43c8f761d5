// sequence_batching of a configuration, compiled: which tensors of the model belong to the server and not to its users, and how
// sequences share the instances.

import { dataTypeFromConfig, type DataType } from '../core/data-type.js';
import type {
  Int64,
  ModelConfigMessage,
  SequenceBatchingMessage,
  SequenceControlMessage,
  SequenceStateMessage,
} from './model-config-message.js';

export type ControlSpec = BooleanControl | IdControl;

/** An input that tells the model of a step: is it the first, the last, is it one at all? */
export interface BooleanControl {
  readonly kind: 'START' | 'END' | 'READY';
  readonly name: string;
  readonly dataType: 'INT32' | 'FP32' | 'BOOL';
  readonly falseValue: number;
  readonly trueValue: number;
}

/** An input that holds the id of the sequence. */
export interface IdControl {
  readonly kind: 'CORRID';
  readonly name: string;
  readonly dataType: DataType;
}

/** A tensor that the model hands to the next step of the same sequence. */
export interface StateSpec {
  readonly inputName: string;
  readonly outputName: string;
  readonly dataType: DataType;
  /** Without the batch dimension; -1: any size. */
  readonly dims: readonly number[];
  readonly initial: InitialState;
}

/** Of the first step, without the batch dimension. */
export interface InitialState {
  readonly dims: readonly number[];
  /** In the directory initial_state/ of the model; undefined: zeros. */
  readonly filename: string | undefined;
}

export interface SequenceConfig {
  readonly strategy: 'direct' | 'oldest';
  /** Sequences that are served at once. */
  readonly slotsPerInstance: number;
  /** A sequence of which nothing waits or runs is forgotten after this long. */
  readonly idleMs: number;
  readonly maxDelayMs: number;
  /** Direct: the share of slots, 0 to 1, that does not wait for the delay. */
  readonly minimumSlotUtilization: number;
  /** Oldest: ascending. */
  readonly preferredSizes: readonly number[];
  /** Oldest: responses leave in the order in which their steps were started. */
  readonly preserveOrdering: boolean;
  readonly controls: readonly ControlSpec[];
  readonly states: readonly StateSpec[];
}

/** `message` must be complete and valid (validate-sequence). */
export function sequenceConfig(message: ModelConfigMessage): SequenceConfig | undefined {
  const batching = message.sequence_batching;
  if (!batching) return undefined;
  const { oldest, direct = {} } = batching;
  return {
    ...(oldest ? oldestStrategy(oldest) : directStrategy(direct, message)),
    idleMs: milliseconds(batching.max_sequence_idle_microseconds),
    controls: controlsOf(batching),
    states: (batching.state ?? []).map(stateSpec),
  };
}

/** Names of the model's inputs and outputs that users do not see, unless they are listed as outputs. */
export function sequenceTensors({ sequence_batching: batching }: ModelConfigMessage): {
  readonly inputs: ReadonlySet<string>;
  readonly outputs: ReadonlySet<string>;
} {
  const states = batching?.state ?? [];
  const controls = batching?.control_input ?? [];
  return {
    inputs: new Set([
      ...controls.map(({ name = '' }) => name),
      ...states.map(({ input_name: name = '' }) => name),
    ]),
    outputs: new Set(states.map(({ output_name: name = '' }) => name)),
  };
}

// ---- details below; callers need not read ----

type Strategy = Omit<SequenceConfig, 'idleMs' | 'controls' | 'states'>;

function oldestStrategy(oldest: NonNullable<SequenceBatchingMessage['oldest']>): Strategy {
  return {
    strategy: 'oldest',
    slotsPerInstance: Math.max(oldest.max_candidate_sequences ?? 0, 1),
    maxDelayMs: milliseconds(oldest.max_queue_delay_microseconds),
    minimumSlotUtilization: 0,
    preferredSizes: [...(oldest.preferred_batch_size ?? [])].sort((a, b) => a - b),
    preserveOrdering: oldest.preserve_ordering ?? false,
  };
}

function directStrategy(
  direct: NonNullable<SequenceBatchingMessage['direct']>,
  { max_batch_size: maxBatchSize = 0 }: ModelConfigMessage,
): Strategy {
  return {
    strategy: 'direct',
    slotsPerInstance: Math.max(maxBatchSize, 1),
    maxDelayMs: milliseconds(direct.max_queue_delay_microseconds),
    minimumSlotUtilization: direct.minimum_slot_utilization ?? 0,
    preferredSizes: [],
    preserveOrdering: false,
  };
}

function controlsOf({ control_input: inputs = [] }: SequenceBatchingMessage): ControlSpec[] {
  return inputs.flatMap(({ name = '', control = [] }) =>
    control.map((each) => controlSpec(name, each)),
  );
}

function controlSpec(name: string, control: SequenceControlMessage): ControlSpec {
  const kind = (control.kind ?? 'CONTROL_SEQUENCE_START').replace('CONTROL_SEQUENCE_', '');
  if (kind === 'CORRID')
    return { kind, name, dataType: dataTypeFromConfig(control.data_type ?? '') };
  return { kind: kind as BooleanControl['kind'], name, ...valuesOf(control) };
}

function valuesOf(
  control: SequenceControlMessage,
): Pick<BooleanControl, 'dataType' | 'falseValue' | 'trueValue'> {
  const { int32_false_true: int32, fp32_false_true: fp32, bool_false_true: bool } = control;
  const pair = (
    values: readonly (number | boolean)[],
  ): { falseValue: number; trueValue: number } => ({
    falseValue: Number(values[0]),
    trueValue: Number(values[1]),
  });
  if (int32?.length) return { dataType: 'INT32', ...pair(int32) };
  if (fp32?.length) return { dataType: 'FP32', ...pair(fp32) };
  return { dataType: 'BOOL', ...pair(bool ?? [false, true]) };
}

function stateSpec(state: SequenceStateMessage): StateSpec {
  const { input_name: inputName = '', output_name: outputName = '', data_type: type = '' } = state;
  const dims = (state.dims ?? []).map(Number);
  const { dims: written = [], data_file: filename } = state.initial_state?.[0] ?? {};
  return {
    ...{ inputName, outputName, dims, dataType: dataTypeFromConfig(type) },
    initial: {
      dims: firstStep(written.length > 0 ? written : dims),
      filename: filename || undefined,
    },
  };
}

function milliseconds(microseconds: Int64 = 0): number {
  return Number(microseconds) / 1000;
}

/** A size that is left open is 1 in the first step. */
function firstStep(dims: readonly Int64[]): number[] {
  return dims.map(Number).map((size) => (size === -1 ? 1 : size));
}
