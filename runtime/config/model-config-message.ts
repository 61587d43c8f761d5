// inference.ModelConfig as a plain object, the way config.pbtxt writes it: what text-format.ts reads, what is completed,
// and what the ModelConfig call returns. Only the fields that something here reads are listed; the rest is carried along.
// Behaviour reads ModelConfig (model-config.ts), never this.

import type { PlainMessage } from './text-format.js';

/** Proto int64: a number, or a decimal string beyond 2^53. */
export type Int64 = number | string;

export interface ModelConfigMessage extends PlainMessage {
  name?: string;
  platform?: string;
  backend?: string;
  version_policy?: {
    latest?: { num_versions?: number };
    all?: object;
    specific?: { versions?: Int64[] };
  };
  max_batch_size?: number;
  input?: ModelInputMessage[];
  output?: ModelOutputMessage[];
  batch_input?: BatchTensorMessage[];
  batch_output?: BatchTensorMessage[];
  optimization?: {
    graph?: { level?: number };
    execution_accelerators?: {
      cpu_execution_accelerator?: { name?: string }[];
      gpu_execution_accelerator?: { name?: string }[];
    };
    cuda?: object;
    eager_batching?: boolean;
    input_pinned_memory?: { enable?: boolean };
    output_pinned_memory?: { enable?: boolean };
  };
  dynamic_batching?: DynamicBatchingMessage;
  sequence_batching?: SequenceBatchingMessage;
  ensemble_scheduling?: EnsembleSchedulingMessage;
  cascade_scheduling?: { stage?: CascadeStageMessage[] };
  instance_group?: InstanceGroupMessage[];
  default_model_filename?: string;
  cc_model_filenames?: Record<string, string>;
  parameters?: Record<string, { string_value?: string }>;
  metric_tags?: Record<string, string>;
  model_warmup?: PlainMessage[];
  model_operations?: { op_library_filename?: string[] };
  model_transaction_policy?: { decoupled?: boolean };
  response_cache?: { enable?: boolean };
  model_metrics?: { metric_control?: MetricControlMessage[] };
  resilience?: ResilienceMessage;
}

/** How one of several models is asked: names of its tensors -> names of the whole's. */
export interface PartMessage extends PlainMessage {
  model_name?: string;
  model_version?: Int64;
  input_map?: Record<string, string>;
  output_map?: Record<string, string>;
  timeout_microseconds?: Int64;
  on_error?: string;
}

export interface EnsembleSchedulingMessage extends PlainMessage {
  step?: PartMessage[];
  max_inflight_requests?: number;
}

export interface TensorMessage extends PlainMessage {
  name?: string;
  data_type?: string;
  dims?: Int64[];
  reshape?: { shape?: Int64[] };
  is_shape_tensor?: boolean;
  is_non_linear_format_io?: boolean;
}

export interface ModelInputMessage extends TensorMessage {
  format?: string;
  allow_ragged_batch?: boolean;
  optional?: boolean;
}

export interface ModelOutputMessage extends TensorMessage {
  label_filename?: string;
}

export interface BatchTensorMessage extends PlainMessage {
  kind?: string;
  data_type?: string;
  target_name?: string[];
  source_input?: string[];
}

export interface InstanceGroupMessage extends PlainMessage {
  name?: string;
  kind?: string;
  count?: number;
  gpus?: number[];
  profile?: string[];
  passive?: boolean;
  rate_limiter?: {
    resources?: { name?: string; global?: boolean; count?: number }[];
    priority?: number;
  };
}

export interface QueuePolicyMessage extends PlainMessage {
  timeout_action?: string;
  default_timeout_microseconds?: Int64;
  allow_timeout_override?: boolean;
  max_queue_size?: number;
}

export interface DynamicBatchingMessage extends PlainMessage {
  preferred_batch_size?: number[];
  max_queue_delay_microseconds?: Int64;
  preserve_ordering?: boolean;
  priority_levels?: Int64;
  default_priority_level?: Int64;
  default_queue_policy?: QueuePolicyMessage;
  priority_queue_policy?: Record<string, QueuePolicyMessage>;
}

export interface SequenceBatchingMessage extends PlainMessage {
  direct?: { max_queue_delay_microseconds?: Int64; minimum_slot_utilization?: number };
  oldest?: {
    max_candidate_sequences?: number;
    preferred_batch_size?: number[];
    max_queue_delay_microseconds?: Int64;
    preserve_ordering?: boolean;
  };
  max_sequence_idle_microseconds?: Int64;
  control_input?: { name?: string; control?: SequenceControlMessage[] }[];
  state?: SequenceStateMessage[];
  iterative_sequence?: boolean;
}

export interface SequenceControlMessage extends PlainMessage {
  kind?: string;
  int32_false_true?: number[];
  fp32_false_true?: number[];
  bool_false_true?: boolean[];
  data_type?: string;
}

export interface SequenceStateMessage extends PlainMessage {
  input_name?: string;
  output_name?: string;
  data_type?: string;
  dims?: Int64[];
  initial_state?: {
    name?: string;
    data_type?: string;
    dims?: Int64[];
    zero_data?: boolean;
    data_file?: string;
  }[];
  use_growable_memory?: boolean;
}

export interface CascadeStageMessage extends PartMessage {
  exit_when?: ExitRuleMessage[];
}

export interface ExitRuleMessage extends PlainMessage {
  tensor?: string;
  index?: number;
  above?: number;
  below?: number;
  equals?: number;
  equals_string?: string;
  decision?: string;
}

export interface MetricControlMessage extends PlainMessage {
  metric_identifier?: { family?: string };
  histogram_options?: { buckets?: number[] };
}

export interface ResilienceMessage extends PlainMessage {
  timeout_microseconds?: Int64;
  hedge?: HedgePolicyMessage;
  retry?: RetryPolicyMessage;
  circuit_breaker?: CircuitBreakerMessage;
  fallback?: FallbackTargetMessage[];
  max_concurrency?: number;
}

export interface HedgePolicyMessage extends PlainMessage {
  delay_microseconds?: Int64;
  delay_quantile?: number;
  max_attempts?: number;
  budget_percent?: number;
}

export interface RetryPolicyMessage extends PlainMessage {
  max_attempts?: number;
  initial_backoff_microseconds?: Int64;
  max_backoff_microseconds?: Int64;
}

export interface CircuitBreakerMessage extends PlainMessage {
  failure_threshold?: number;
  recovery_timeout_microseconds?: Int64;
  half_open_max_requests?: number;
}

export interface FallbackTargetMessage extends PlainMessage {
  model_name?: string;
  model_version?: Int64;
  level?: string;
  input_map?: Record<string, string>;
  output_map?: Record<string, string>;
  last_good?: { max_age_seconds?: number; key_parameter?: string };
}
