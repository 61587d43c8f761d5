// The instances a completed configuration asks for.

import type { InstanceGroupMessage, ModelConfigMessage } from './model-config-message.js';

export interface InstanceGroupSpec {
  readonly name: string;
  readonly kind: 'KIND_CPU' | 'KIND_GPU';
  readonly count: number;
  /** Device numbers; empty on the CPU. Each gets `count` instances. */
  readonly gpus: readonly number[];
  /** Undefined: its instances need nothing that is limited. */
  readonly rateLimiter?: RateLimiterSpec | undefined;
}

/** What an instance needs while it runs, where resources are limited (--rate-limit). */
export interface RateLimiterSpec {
  /** From 1, the highest: one of 2 runs half as often, when both wait. */
  readonly priority: number;
  readonly resources: readonly ResourceNeed[];
}

export interface ResourceNeed {
  readonly name: string;
  /** One pool for the whole server, not one for each device. */
  readonly isGlobal: boolean;
  readonly count: number;
}

/** Instances that the groups ask for together. */
export function instanceCount(groups: readonly InstanceGroupSpec[]): number {
  return groups.reduce((sum, { count, gpus }) => sum + count * Math.max(gpus.length, 1), 0);
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
      ...rateLimiterOf(group),
    }));
}

// ---- details below; callers need not read ----

function rateLimiterOf({
  rate_limiter: limiter,
}: InstanceGroupMessage): Pick<InstanceGroupSpec, 'rateLimiter'> {
  const resources = (limiter?.resources ?? []).flatMap(({ name = '', global, count = 0 }) =>
    count > 0 ? [{ name, isGlobal: global ?? false, count }] : [],
  );
  if (resources.length === 0) return {};
  return { rateLimiter: { priority: Math.max(limiter?.priority ?? 0, 1), resources } };
}
