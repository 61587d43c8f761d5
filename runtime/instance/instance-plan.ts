// PURE: the sessions that the instance groups of a configuration ask for.

import { availableParallelism } from 'node:os';
import { instanceCount, type InstanceGroupSpec } from '../config/instance-group-config.js';
import type { SessionSettings } from '../config/session-settings.js';
import type { SessionInput } from './model-instance.js';

export interface InstancePlan {
  readonly input: SessionInput;
  readonly group: InstanceGroupSpec;
}

export interface ModelToRun {
  readonly modelPath: string;
  readonly settings: SessionSettings;
}

/** One entry for each instance; those that run batches first, so that they have the first choice of a thread. */
export function planInstances(
  { modelPath, settings }: ModelToRun,
  groups: readonly InstanceGroupSpec[],
): InstancePlan[] {
  const intraOpThreads = settings.intraOpThreads || threadsPerInstance(instanceCount(groups));
  const inOrder = [...groups.filter(isScheduled), ...groups.filter((group) => !isScheduled(group))];
  return inOrder.flatMap((group) => {
    const devices = group.kind === 'KIND_GPU' ? group.gpus : [0];
    return devices.flatMap((deviceId) => {
      const providers =
        group.kind === 'KIND_GPU' ? (['cuda', 'webgpu'] as const) : (['cpu'] as const);
      const input = { modelPath, settings, providers, deviceId, intraOpThreads };
      return Array.from({ length: group.count }, () => ({ input, group }));
    });
  });
}

/** Whether a session made from one would do for the other. */
export function isSameSession(a: SessionInput, b: SessionInput): boolean {
  return (
    a.deviceId === b.deviceId &&
    a.intraOpThreads === b.intraOpThreads &&
    a.providers.join() === b.providers.join()
  );
}

function isScheduled({ isPassive }: InstanceGroupSpec): boolean {
  return !isPassive;
}

/** ONNX Runtime computes one operator on several cores; instances that run at once must not compete for them. */
function threadsPerInstance(instances: number): number {
  return Math.max(1, Math.floor(availableParallelism() / Math.max(instances, 1)));
}
