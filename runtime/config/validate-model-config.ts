// Checks a completed configuration as far as that goes without the model. Finds every problem; the texts are Triton's
// (ValidateModelConfig), because clients and operators match on them. A model with such a problem cannot be polled.

import { ONNX_BACKEND, ONNX_PLATFORM } from './complete-model-config.js';
import type { ConfigProblem } from './config-problem.js';
import { cascadeProblems } from './validate-cascade.js';
import { ensembleProblems } from './validate-ensemble.js';
import { sequenceProblems } from './validate-sequence.js';
import type {
  DynamicBatchingMessage,
  MetricControlMessage,
  ModelConfigMessage,
  QueuePolicyMessage,
} from './model-config-message.js';
import { validateLimits } from './validate-limits.js';
import { resilienceProblems } from './validate-resilience.js';

export function validateModelConfig(
  message: ModelConfigMessage,
  directoryName: string,
): ConfigProblem[] {
  return [
    ...nameProblems(message, directoryName),
    ...backendProblems(message),
    ...batchSizeProblems(message),
    ...fileNameProblems(message),
    ...validateLimits(message),
    ...(message.dynamic_batching ? dynamicBatchingProblems(message, message.dynamic_batching) : []),
    ...queueProblems(message),
    ...sequenceProblems(message),
    ...cascadeProblems(message),
    ...resilienceProblems(message),
    ...ensembleProblems(message),
    ...cacheProblems(message),
    ...(message.model_metrics?.metric_control ?? []).flatMap(metricProblems),
  ];
}

// ---- details below; callers need not read ----

function nameProblems({ name = '' }: ModelConfigMessage, directoryName: string): ConfigProblem[] {
  if (name === directoryName) return [];
  const message =
    `unexpected directory name '${directoryName}' for model '${name}', directory name must equal ` +
    'model name';
  return [{ path: 'name', message }];
}

/** Platforms that stand without a backend. */
const SCHEDULED_PLATFORMS = ['ensemble', 'cascade'];

function backendProblems(message: ModelConfigMessage): ConfigProblem[] {
  const { name = '', platform = '', backend = '' } = message;
  if (SCHEDULED_PLATFORMS.includes(platform)) {
    if (backend === '') return [];
    const kind = platform === 'ensemble' ? 'Ensemble' : 'Cascade';
    const text = `${kind} model '${name}' must have platform type '${platform}' and empty backend type`;
    return [{ path: 'backend', message: text }];
  }
  if (backend === '') return [missingBackend(name, platform)];
  if (backend !== ONNX_BACKEND || platform === ONNX_PLATFORM) return [];
  const text = `unexpected 'platform' and 'backend' pair, got:${platform}, ${backend}`;
  return [{ path: 'platform', message: text }];
}

function missingBackend(name: string, platform: string): ConfigProblem {
  if (platform !== '') {
    return { path: 'platform', message: `unexpected platform type '${platform}' for ${name}` };
  }
  const message =
    `could not determine the backend of model '${name}': its configuration names none and its first version directory ` +
    'holds no model.onnx; other models have backend: "typescript" or "remote", or platform: "ensemble" or "cascade"';
  return { path: 'backend', message };
}

function batchSizeProblems({
  name,
  max_batch_size: size = 0,
}: ModelConfigMessage): ConfigProblem[] {
  if (size >= 0) return [];
  const message = `'max_batch_size' must be non-negative value for ${name ?? ''}`;
  return [{ path: 'max_batch_size', message }];
}

/** Files are read from the directory of the model or of its version, and from nowhere else. */
function fileNameProblems(message: ModelConfigMessage): ConfigProblem[] {
  const names: [path: string, name: string | undefined][] = [
    ['default_model_filename', message.default_model_filename],
    ...Object.entries(message.cc_model_filenames ?? {}).map(([key, name]): [string, string] => [
      `cc_model_filenames["${key}"]`,
      name,
    ]),
    ...(message.output ?? []).map(
      ({ label_filename: name }, index): [string, string | undefined] => [
        `output[${index}].label_filename`,
        name,
      ],
    ),
  ];
  return [...names, ...warmUpFiles(message), ...initialStateFiles(message)].flatMap(
    ([path, name]) => {
      if (!name || !LEAVES_DIRECTORY.test(name)) return [];
      const text = `must name a file inside the directory of model '${message.name ?? ''}', got '${name}'`;
      return [{ path, message: text }];
    },
  );
}

function warmUpFiles({
  model_warmup: samples = [],
}: ModelConfigMessage): [string, string | undefined][] {
  return samples.flatMap(({ inputs = {} }, index) =>
    Object.entries(inputs as Record<string, { input_data_file?: string }>).map(
      ([input, { input_data_file: file }]): [string, string | undefined] => [
        `model_warmup[${index}].inputs["${input}"].input_data_file`,
        file,
      ],
    ),
  );
}

function initialStateFiles({
  sequence_batching: batching,
}: ModelConfigMessage): [string, string | undefined][] {
  return (batching?.state ?? []).flatMap(({ initial_state: states = [] }, index) =>
    states.map(({ data_file: file }, at): [string, string | undefined] => [
      `sequence_batching.state[${index}].initial_state[${at}].data_file`,
      file,
    ]),
  );
}

/** Absolute, or with a step up. */
const LEAVES_DIRECTORY = /^\/|(?:^|\/)\.\.(?:\/|$)|\0/;

function dynamicBatchingProblems(
  { name = '', max_batch_size: max = 0 }: ModelConfigMessage,
  batching: DynamicBatchingMessage,
): ConfigProblem[] {
  const sizes = (batching.preferred_batch_size ?? []).flatMap((size, index) => {
    const path = `dynamic_batching.preferred_batch_size[${index}]`;
    if (size <= 0)
      return [{ path, message: `dynamic batching preferred size must be positive for ${name}` }];
    if (size <= max) return [];
    return [
      { path, message: `dynamic batching preferred size must be <= max batch size for ${name}` },
    ];
  });
  return [...sizes, ...priorityProblems(name, batching), ...orderingProblems(name, batching)];
}

function priorityProblems(name: string, batching: DynamicBatchingMessage): ConfigProblem[] {
  const levels = Number(batching.priority_levels ?? 0);
  if (levels === 0) return [];
  const inRange = (level: number): boolean => level >= 1 && level <= levels;
  const problems: ConfigProblem[] = [];
  if (!inRange(Number(batching.default_priority_level ?? 0))) {
    problems.push({
      path: 'dynamic_batching.default_priority_level',
      message: `default priority level must be in range [1, ${levels}] for ${name}`,
    });
  }
  for (const level of Object.keys(batching.priority_queue_policy ?? {})) {
    if (inRange(Number(level))) continue;
    problems.push({
      path: `dynamic_batching.priority_queue_policy[${level}]`,
      message: `priority queue policy must have priority level in range [1, ${levels}] for ${name}`,
    });
  }
  return problems;
}

function orderingProblems(name: string, batching: DynamicBatchingMessage): ConfigProblem[] {
  if (!batching.preserve_ordering) return [];
  const problems: ConfigProblem[] = [];
  if (Number(batching.priority_levels ?? 0) > 1) {
    problems.push({
      path: 'dynamic_batching.priority_levels',
      message: `Only one priority level is allowed when 'preserve_ordering' is true for ${name}`,
    });
  }
  const delays = (policy: QueuePolicyMessage | undefined): boolean =>
    policy?.timeout_action === 'DELAY' && Number(policy.default_timeout_microseconds ?? 0) !== 0;
  const policies = [
    batching.default_queue_policy,
    ...Object.values(batching.priority_queue_policy ?? {}),
  ];
  if (policies.some(delays)) {
    problems.push({
      path: 'dynamic_batching.default_queue_policy.timeout_action',
      message: `Queue policy can not have DELAY as timeout action when 'preserve_ordering' is true for ${name}`,
    });
  }
  return problems;
}

/** Parameters of our own, as the .proto has no fields for them. */
const QUEUE_PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  queue_order: ['arrival', 'deadline'],
  shed_late: ['true', 'false'],
};

function queueProblems({ name = '', parameters = {} }: ModelConfigMessage): ConfigProblem[] {
  return Object.entries(QUEUE_PARAMETERS).flatMap(([key, values]) => {
    const value = parameters[key]?.string_value;
    if (value === undefined || values.includes(value)) return [];
    const message = `parameter '${key}' of ${name} must be one of ${values.join(', ')}, got '${value}'`;
    return [{ path: `parameters["${key}"]`, message }];
  });
}

function cacheProblems(message: ModelConfigMessage): ConfigProblem[] {
  if (!message.response_cache?.enable) return [];
  const start = `Response Cache does not currently support model ${message.name ?? ''} with `;
  const end = ' Please disable the response cache.';
  const problems: ConfigProblem[] = [];
  const add = (what: string): number =>
    problems.push({ path: 'response_cache.enable', message: start + what + end });
  if (message.sequence_batching) add('sequence batching scheduler.');
  if (message.model_transaction_policy?.decoupled) add("'decoupled' transaction policy.");
  return problems;
}

function metricProblems(control: MetricControlMessage, index: number): ConfigProblem[] {
  const path = `model_metrics.metric_control[${index}]`;
  if (!control.metric_identifier)
    return [{ path, message: "metric control must specify 'metric_identifier'" }];
  if (!control.metric_identifier.family)
    return [{ path, message: "metric identifier must specify non-empty 'family'" }];
  if (!control.histogram_options)
    return [{ path, message: "metric control must specify 'histogram_options'" }];
  if (!control.histogram_options.buckets?.length)
    return [{ path, message: "histogram options must specify non-empty 'buckets'" }];
  return [];
}
