// The instances a completed configuration asks for.

import type { InstanceGroupMessage, ModelConfigMessage } from './model-config-message.js';

export interface InstanceGroupSpec {
  readonly name: string;
  readonly kind: 'KIND_CPU' | 'KIND_GPU';
  readonly count: number;
  /** Device numbers; empty on the CPU. Each gets `count` instances. */
  readonly gpus: readonly number[];
  /** Its instances are loaded, and run nothing. */
  readonly isPassive?: boolean | undefined;
  /** Undefined: its instances need nothing that is limited, and none comes before another. */
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

/** Instances that the groups ask for together and that run batches. */
export function instanceCount(groups: readonly InstanceGroupSpec[]): number {
  return sessionCount(groups.filter(({ isPassive }) => !isPassive));
}

/** Instances that the groups ask for together, those that run nothing included. */
export function sessionCount(groups: readonly InstanceGroupSpec[]): number {
  return groups.reduce((sum, { count, gpus }) => sum + count * Math.max(gpus.length, 1), 0);
}

export function instanceGroupsOf(message: ModelConfigMessage): InstanceGroupSpec[] {
  return (message.instance_group ?? []).map((group) => ({
    name: group.name ?? '',
    kind: group.kind === 'KIND_GPU' ? 'KIND_GPU' : 'KIND_CPU',
    count: group.count ?? 1,
    gpus: group.kind === 'KIND_GPU' ? (group.gpus?.length ? group.gpus : [0]) : [],
    ...(group.passive ? { isPassive: true } : rateLimiterOf(group)),
  }));
}

// ---- details below; callers need not read ----

function rateLimiterOf({
  rate_limiter: limiter,
}: InstanceGroupMessage): Pick<InstanceGroupSpec, 'rateLimiter'> {
  const resources = (limiter?.resources ?? []).flatMap(({ name = '', global, count = 0 }) =>
    count > 0 ? [{ name, isGlobal: global ?? false, count }] : [],
  );
  const priority = Math.max(limiter?.priority ?? 0, 1);
  return resources.length === 0 && priority === 1 ? {} : { rateLimiter: { priority, resources } };
}
