// The instances a completed configuration asks for.

import type { ModelConfigMessage } from './model-config-message.js';

export interface InstanceGroupSpec {
  readonly name: string;
  readonly kind: 'KIND_CPU' | 'KIND_GPU';
  readonly count: number;
  /** Device numbers; empty on the CPU. Each gets `count` instances. */
  readonly gpus: readonly number[];
}

/** Passive groups are loaded by nobody here: an instance the scheduler may not use would only take memory. */
export function instanceGroupsOf(message: ModelConfigMessage): InstanceGroupSpec[] {
  return (message.instance_group ?? [])
    .filter((group) => !group.passive)
    .map((group) => ({
      name: group.name ?? '',
      kind: group.kind === 'KIND_GPU' ? 'KIND_GPU' : 'KIND_CPU',
      count: group.count ?? 1,
      gpus: group.kind === 'KIND_GPU' ? (group.gpus?.length ? group.gpus : [0]) : [],
    }));
}
