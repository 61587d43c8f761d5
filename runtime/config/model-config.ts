// What the rest of the server knows of a model's configuration: compiled once from the completed message, frozen, durations
// in milliseconds. The message itself is kept only to be shown.

import { dataTypeFromConfig, type DataType } from '../core/data-type.js';
import { elementCount } from '../core/tensor.js';
import type { ModelTensors } from './complete-from-model.js';
import { sequenceConfig, type SequenceConfig } from './sequence-config.js';
import type {
  DynamicBatchingMessage,
  Int64,
  ModelConfigMessage,
  QueuePolicyMessage,
  TensorMessage,
} from './model-config-message.js';
import { resilienceConfig, type ResilienceConfig } from './resilience-config.js';
import { raggedConfig, type RaggedConfig } from './ragged-config.js';

export interface TensorSpec {
  readonly name: string;
  readonly dataType: DataType;
  /** As users give and get it, without the batch dimension; -1: any size. */
  readonly dims: readonly number[];
  /** As the model sees it, without the batch dimension; the -1 of both lists correspond in order. */
  readonly modelDims: readonly number[];
  /** dims and modelDims differ. */
  readonly reshaped: boolean;
  /** Elements of one row, or of the whole tensor without batching; -1: depends on the request. */
  readonly elements: number;
  readonly optional: boolean;
}

export interface OutputSpec extends TensorSpec {
  readonly labelFilename: string;
}

export interface QueuePolicy {
  /** Requests that may wait; Infinity: any number. */
  readonly maxQueueSize: number;
  /** Longest wait; Infinity: for ever. */
  readonly defaultTimeoutMs: number;
  readonly timeoutAction: 'REJECT' | 'DELAY';
  readonly allowTimeoutOverride: boolean;
}

export interface BatchingConfig {
  /** False: every request is executed on its own. */
  readonly combine: boolean;
  /** Rows of one execution; without batching 1, the whole request. */
  readonly maxBatchSize: number;
  /** Ascending. */
  readonly preferredSizes: readonly number[];
  readonly maxDelayMs: number;
  /** Of requests for whose level there is none of its own. */
  readonly queuePolicy: QueuePolicy;
  readonly priorities: PriorityConfig;
  /** Whether requests of a level are executed in the order in which they came, or by deadline. */
  readonly order: 'arrival' | 'deadline';
  /** Requests that cannot be executed before their deadline, by what batches took, are refused. */
  readonly shedLate: boolean;
  /** Responses leave in the order in which their requests came. */
  readonly preserveOrdering: boolean;
}

/** Level 1 comes first. */
export interface PriorityConfig {
  /** 0: requests have no priority. */
  readonly levels: number;
  /** Of requests that name none, or one that is not there. */
  readonly defaultLevel: number;
  /** Of the levels that have one of their own. */
  readonly policies: ReadonlyMap<number, QueuePolicy>;
}

export interface ModelConfig {
  readonly name: string;
  readonly platform: string;
  /** The first dimension of every tensor is the batch. */
  readonly batched: boolean;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly OutputSpec[];
  /** Undefined for a model without ragged inputs, which all requests of a batch give in one shape. */
  readonly ragged: RaggedConfig | undefined;
  readonly batching: BatchingConfig;
  /** Set: requests belong to sequences. */
  readonly sequence: SequenceConfig | undefined;
  /** Undefined: nothing is done when the model fails or is slow. */
  readonly resilience: ResilienceConfig | undefined;
  readonly message: ModelConfigMessage;
}

export const UNLIMITED_QUEUE: QueuePolicy = Object.freeze({
  maxQueueSize: Infinity,
  defaultTimeoutMs: Infinity,
  timeoutAction: 'REJECT',
  allowTimeoutOverride: false,
});

/** `message` must be complete and valid (validate-model-config, validate-tensors, validate-against-model). */
export function compileModelConfig(message: ModelConfigMessage, model: ModelTensors): ModelConfig {
  const scalars = new Set(
    [...model.inputs, ...model.outputs].filter((t) => t.shape.length === 0).map((t) => t.name),
  );
  return Object.freeze({
    name: message.name ?? '',
    platform: message.platform || message.backend || '',
    batched: (message.max_batch_size ?? 0) > 0,
    inputs: Object.freeze(
      (message.input ?? []).map((input) => ({
        ...tensorSpec(input, scalars),
        optional: input.optional ?? false,
      })),
    ),
    outputs: Object.freeze(
      (message.output ?? []).map((output) => ({
        ...tensorSpec(output, scalars),
        labelFilename: output.label_filename ?? '',
      })),
    ),
    ragged: raggedConfig(message),
    batching: batchingConfig(message),
    sequence: sequenceConfig(message),
    resilience: resilienceConfig(message),
    message,
  });
}

// ---- details below; callers need not read ----

function tensorSpec(tensor: TensorMessage, scalars: ReadonlySet<string>): TensorSpec {
  const name = tensor.name ?? '';
  const dims = (tensor.dims ?? []).map(Number);
  const reshape = tensor.reshape ? (tensor.reshape.shape ?? []).map(Number) : undefined;
  const modelDims = reshape ?? (scalars.has(name) ? [] : dims);
  return {
    name,
    dataType: dataTypeFromConfig(tensor.data_type ?? ''),
    dims,
    modelDims,
    reshaped: modelDims !== dims,
    elements: dims.includes(-1) ? -1 : elementCount(dims),
    optional: false,
  };
}

function batchingConfig(message: ModelConfigMessage): BatchingConfig {
  const { max_batch_size: max = 0, dynamic_batching: dynamic } = message;
  const combine = dynamic !== undefined && max > 0;
  const { preferred_batch_size: sizes = [], max_queue_delay_microseconds: delay } = combine
    ? dynamic
    : {};
  return {
    combine,
    maxBatchSize: Math.max(max, 1),
    preferredSizes: [...sizes].sort((a, b) => a - b),
    maxDelayMs: milliseconds(delay),
    queuePolicy: queuePolicy(dynamic?.default_queue_policy),
    priorities: priorityConfig(dynamic),
    preserveOrdering: dynamic?.preserve_ordering ?? false,
    ...deadlineConfig(message),
  };
}

/** By parameters of our own, as the .proto has no fields for it. */
function deadlineConfig({
  parameters,
}: ModelConfigMessage): Pick<BatchingConfig, 'order' | 'shedLate'> {
  return {
    order: parameters?.['queue_order']?.string_value === 'deadline' ? 'deadline' : 'arrival',
    shedLate: parameters?.['shed_late']?.string_value === 'true',
  };
}

function priorityConfig(dynamic: DynamicBatchingMessage = {}): PriorityConfig {
  const policies = Object.entries(dynamic.priority_queue_policy ?? {});
  return {
    levels: Number(dynamic.priority_levels ?? 0),
    defaultLevel: Number(dynamic.default_priority_level ?? 0),
    policies: new Map(policies.map(([level, policy]) => [Number(level), queuePolicy(policy)])),
  };
}

function queuePolicy(policy: QueuePolicyMessage | undefined): QueuePolicy {
  if (!policy) return UNLIMITED_QUEUE;
  return {
    maxQueueSize: policy.max_queue_size || Infinity,
    defaultTimeoutMs: milliseconds(policy.default_timeout_microseconds) || Infinity,
    timeoutAction: policy.timeout_action === 'DELAY' ? 'DELAY' : 'REJECT',
    allowTimeoutOverride: policy.allow_timeout_override ?? false,
  };
}

function milliseconds(microseconds: Int64 | undefined): number {
  return Number(microseconds ?? 0) / 1000;
}
