// What a configuration says and this server does not do. What would change an answer, or what protects somebody, makes the load
// fail; the rest is told in the log and ignored.

import { SCRIPT_BACKEND } from './complete-model-config.js';
import { REMOTE_BACKEND } from './remote-config.js';
import { uselessTags } from './metric-tags.js';
import type { ModelConfigMessage } from './model-config-message.js';
import { unknownParameters } from './remote-config.js';

/** What the model cannot be served without; undefined: nothing. */
export function unservedSetting(message: ModelConfigMessage): string | undefined {
  return REFUSED.find(({ isSet }) => isSet(message))?.says;
}

export interface ServedSettings {
  /** The server has a response cache. */
  readonly hasResponseCache: boolean;
}

/** What is ignored, a sentence each. */
export function ineffectiveSettings(
  message: ModelConfigMessage,
  { hasResponseCache }: ServedSettings,
): string[] {
  return [
    ...acceleratorWarnings(message),
    ...cacheWarnings(message, hasResponseCache),
    ...IGNORED.filter(({ isSet }) => isSet(message)).map(({ says }) => `${says} and ignored`),
    ...unknownParameters(message).map(
      (key) => `parameter '${key}' is not known to remote models and ignored`,
    ),
    ...uselessTags(message).map((key) => `metric_tags '${key}' can be no label and is ignored`),
    ...Object.keys(message.parameters ?? {})
      .filter((key) => UNREACHABLE.includes(key))
      .map((key) => `parameter '${key}' cannot reach ONNX Runtime from Node and is ignored`),
  ];
}

// ---- details below; callers need not read ----

interface Setting {
  readonly says: string;
  readonly isSet: (message: ModelConfigMessage) => boolean;
}

const MANY_ANSWERS: readonly (string | undefined)[] = [SCRIPT_BACKEND, REMOTE_BACKEND];

const REFUSED: readonly Setting[] = [
  {
    says: "the 'decoupled' transaction policy",
    isSet: ({ model_transaction_policy: policy, backend, ensemble_scheduling: ensemble }) =>
      policy?.decoupled === true && !MANY_ANSWERS.includes(backend) && !ensemble,
  },
  {
    says: 'model_repository_agents',
    isSet: ({ model_repository_agents: agents }) => isFilled(agents),
  },
  {
    says: 'sequence_batching.iterative_sequence, for which a model has no way here to ask for its next iteration,',
    isSet: ({ sequence_batching: batching }) => batching?.iterative_sequence === true,
  },
  { says: 'traffic', isSet: ({ traffic }) => isFilled(traffic) },
];

// optimization.eager_batching is not among them. It asks that the next batch be prepared while instances are busy, at the price that
// it may be smaller. That is done for every model: requests are gathered as they come, and what is left when an instance is free, a copy
// of their bytes, is made then, so that no request is bound to a batch in which it can no longer time out or be cancelled.

const LATER = 'is not acted on by this version of inferd';

const IGNORED: readonly Setting[] = [
  {
    says: 'optimization.cuda is known only to CUDA graphs',
    isSet: ({ optimization }) => optimization?.cuda !== undefined,
  },
  {
    says: 'cc_model_filenames is known only to TensorRT',
    isSet: ({ cc_model_filenames: files }) => files !== undefined,
  },
  { says: `monitoring ${LATER}`, isSet: ({ monitoring }) => isFilled(monitoring) },
  ...['queue_order', 'shed_late'].map((key) => ({
    says: `parameter '${key}' is not known to sequence batching`,
    isSet: ({ sequence_batching: batching, parameters }: ModelConfigMessage) =>
      batching !== undefined && parameters?.[key] !== undefined,
  })),
  {
    says: 'use_growable_memory is known only to CUDA',
    isSet: ({ sequence_batching: batching }) =>
      (batching?.state ?? []).some(({ use_growable_memory: isGrowable }) => isGrowable === true),
  },
  {
    says: "ensemble_scheduling.max_inflight_requests bounds the answers of decoupled steps, which only a 'decoupled' ensemble has,",
    isSet: ({ ensemble_scheduling: scheduling, model_transaction_policy: policy }) =>
      Boolean(scheduling?.max_inflight_requests) && policy?.decoupled !== true,
  },
  {
    says: 'resilience.hedge is due only after timeout_microseconds',
    isSet: ({ resilience: { timeout_microseconds: timeout = 0, hedge = {} } = {} }) =>
      Number(timeout) > 0 && Number(hedge.delay_microseconds ?? 0) >= Number(timeout),
  },
  instanceSetting('host_policy'),
];

function instanceSetting(name: string): Setting {
  return {
    says: `instance_group.${name} ${LATER}`,
    isSet: ({ instance_group: groups = [] }) => groups.some((group) => Boolean(group[name])),
  };
}

const UNREACHABLE = [
  'cudnn_conv_algo_search',
  'gpu_mem_limit',
  'arena_extend_strategy',
  'do_copy_in_default_stream',
  'memory.enable_memory_arena_shrinkage',
];

function cacheWarnings(message: ModelConfigMessage, hasResponseCache: boolean): string[] {
  if (message.response_cache?.enable !== true) return [];
  if (message.ensemble_scheduling)
    return ['response_cache is ignored: ensembles are not cached, the models they ask may be'];
  if (hasResponseCache) return [];
  return ['response_cache is ignored: the server runs without --cache-config'];
}

function acceleratorWarnings({ optimization }: ModelConfigMessage): string[] {
  return Object.values(optimization?.execution_accelerators ?? {})
    .flat()
    .map(({ name = '' }) => `execution accelerator '${name}' is not available and ignored`);
}

/** A message or list that is there and not empty. */
function isFilled(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}
