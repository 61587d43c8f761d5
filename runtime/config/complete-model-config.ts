// Fills in what a configuration leaves out and what can be said without opening the model: backend, file name, version
// policy, instance groups. What needs the model is complete-from-model.ts. Both are pure: message in, new message out.
// Rules: Triton's AutoCompleteBackendFields, NormalizeModelConfig and NormalizeInstanceGroup.

import type { InstanceGroupMessage, ModelConfigMessage } from './model-config-message.js';
import { isRemote } from './remote-config.js';

export const ONNX_BACKEND = 'onnxruntime';
export const ONNX_PLATFORM = 'onnxruntime_onnx';
export const ONNX_FILENAME = 'model.onnx';

export const SCRIPT_BACKEND = 'typescript';
/** The first of them that is there is the model. */
const SCRIPT_FILENAMES = ['model.ts', 'model.mjs', 'model.js'] as const;

/** Instances of an ONNX model on the CPU whose configuration does not say how many. */
const DEFAULT_CPU_INSTANCES = 2;
const DEFAULT_SEQUENCE_IDLE_US = 1_000_000;

/** What the completion looks at besides the message. */
export interface ModelDirectoryFacts {
  readonly name: string;
  /** Names in the first version directory; empty when there is none. */
  readonly firstVersionFiles: readonly string[];
  readonly hasGpu: boolean;
}

export function completeModelConfig(
  message: ModelConfigMessage,
  facts: ModelDirectoryFacts,
): ModelConfigMessage {
  return normalizeModelConfig(
    withBackend({ ...message, name: message.name || facts.name }, facts),
    facts,
  );
}

/** Defaults that follow from the message alone; applied again after the model has been looked into. */
export function normalizeModelConfig(
  message: ModelConfigMessage,
  { hasGpu }: { hasGpu: boolean },
): ModelConfigMessage {
  const complete = { ...message, version_policy: versionPolicy(message) };
  if (message.dynamic_batching)
    complete.dynamic_batching = withPreferredSize(message.dynamic_batching, message);
  if (message.sequence_batching)
    complete.sequence_batching = sequenceBatching(message.sequence_batching, message);
  if (message.ensemble_scheduling) complete.model_transaction_policy ??= {};
  if (message.ensemble_scheduling || message.cascade_scheduling) return complete;
  if (isRemote(message)) return complete;
  complete.optimization = {
    input_pinned_memory: { enable: true },
    output_pinned_memory: { enable: true },
    ...message.optimization,
  };
  complete.instance_group = instanceGroups(message, hasGpu);
  return complete;
}

// ---- details below; callers need not read ----

function withBackend(message: ModelConfigMessage, facts: ModelDirectoryFacts): ModelConfigMessage {
  if (message.backend === SCRIPT_BACKEND) return withScriptFilename(message, facts);
  if (!isOnnx(message, facts)) return message;
  return {
    ...message,
    backend: ONNX_BACKEND,
    platform: message.platform || ONNX_PLATFORM,
    default_model_filename: message.default_model_filename || ONNX_FILENAME,
  };
}

function withScriptFilename(
  message: ModelConfigMessage,
  { firstVersionFiles }: ModelDirectoryFacts,
): ModelConfigMessage {
  const found = SCRIPT_FILENAMES.find((name) => firstVersionFiles.includes(name));
  const filename = message.default_model_filename || (found ?? SCRIPT_FILENAMES[0]);
  return { ...message, default_model_filename: filename };
}

function isOnnx(message: ModelConfigMessage, facts: ModelDirectoryFacts): boolean {
  const { backend, platform, default_model_filename: filename } = message;
  if (backend) return backend === ONNX_BACKEND;
  if (platform === ONNX_PLATFORM || filename === ONNX_FILENAME) return true;
  return !platform && !filename && facts.firstVersionFiles.includes(ONNX_FILENAME);
}

function versionPolicy({
  version_policy: policy,
}: ModelConfigMessage): NonNullable<ModelConfigMessage['version_policy']> {
  if (policy?.all || policy?.specific) return policy;
  return { latest: { num_versions: policy?.latest?.num_versions || 1 } };
}

function withPreferredSize<T extends { preferred_batch_size?: number[] }>(
  batching: T,
  { max_batch_size: max = 0 }: ModelConfigMessage,
): T {
  if (batching.preferred_batch_size?.length || max <= 0) return batching;
  return { ...batching, preferred_batch_size: [max] };
}

function sequenceBatching(
  batching: NonNullable<ModelConfigMessage['sequence_batching']>,
  message: ModelConfigMessage,
): NonNullable<ModelConfigMessage['sequence_batching']> {
  const { oldest } = batching;
  return {
    ...batching,
    max_sequence_idle_microseconds:
      batching.max_sequence_idle_microseconds || DEFAULT_SEQUENCE_IDLE_US,
    ...(oldest && { oldest: withPreferredSize(oldest, message) }),
  };
}

function instanceGroups(message: ModelConfigMessage, hasGpu: boolean): InstanceGroupMessage[] {
  const name = message.name ?? '';
  // The group nobody wrote is named like the model; written ones are numbered.
  const groups = message.instance_group?.length ? message.instance_group : [{ name }];
  return groups.map((group, index) => {
    const kind = resolveKind(group, hasGpu && message.backend !== SCRIPT_BACKEND);
    const onGpu = kind === 'KIND_GPU' && hasGpu;
    return {
      ...group,
      name: group.name || `${name}_${index}`,
      kind,
      count: (group.count ?? 0) >= 1 ? group.count! : defaultCount(kind, message),
      ...(onGpu && { gpus: group.gpus?.length ? group.gpus : [0] }),
    };
  });
}

function defaultCount(kind: string, message: ModelConfigMessage): number {
  return kind === 'KIND_CPU' && message.backend === ONNX_BACKEND ? DEFAULT_CPU_INSTANCES : 1;
}

function resolveKind(group: InstanceGroupMessage, hasGpu: boolean): string {
  if (group.kind !== undefined && group.kind !== 'KIND_AUTO') return group.kind;
  return hasGpu ? 'KIND_GPU' : 'KIND_CPU';
}
