// Which scheduler a model has, and what that needs.

import { instanceCount, instanceGroupsOf } from '../config/instance-group-config.js';
import type { ModelConfig } from '../config/model-config.js';
import type { RuntimeError } from '../core/errors.js';
import type { ServedModel } from '../core/model-catalog.js';
import type { Servable } from '../core/servable.js';
import type { Instances } from '../instance/instances.js';
import { BatchScheduler } from '../scheduler/batch-scheduler.js';
import { mergedSequences } from '../scheduler/merged-steps.js';
import { SequenceScheduler } from '../scheduler/sequence-scheduler.js';
import type { AssemblyParts } from './assembly-parts.js';
import { readInitialState } from './initial-state.js';

export interface ModelScheduler extends Servable {
  /** Requests still waiting, and those that come, are answered with `error`; those running finish. */
  close(error?: RuntimeError): void;
  /** Requests still waiting are answered with `error`; those running finish, and those that come are served. */
  refuseWaiting(error: RuntimeError): void;
  /** The configuration asks for that many instances from now on; absent where that is all the same. */
  resize?(instances: number): void;
}

/** @throws RuntimeError when a file of the model cannot be read or is of the wrong size */
export async function createScheduler(
  { clock, wheel, log }: AssemblyParts,
  model: {
    readonly config: ModelConfig;
    readonly instances: Instances;
    readonly model: ServedModel;
    readonly directory: string;
  },
): Promise<ModelScheduler> {
  const { config, directory, instances: runner } = model;
  const { statistics, version } = model.model;
  const parts = { config, version: String(version), runner, clock, wheel, statistics };
  if (!config.sequence) return new BatchScheduler(parts);
  const initialState = await readInitialState(config.sequence, directory);
  const instances = instanceCount(instanceGroupsOf(config.message));
  const sequences = mergedSequences({ ...parts, instances, initialState });
  return new SequenceScheduler({ ...parts, log, ...sequences });
}
