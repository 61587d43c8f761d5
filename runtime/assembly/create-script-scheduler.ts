// The scheduler of a model in TypeScript: batches of requests, each run as it is, or steps of sequences on the instance that remembers
// them.

import type { ModelConfig } from '../config/model-config.js';
import type { ServedModel } from '../core/model-catalog.js';
import type { ScriptGroup } from '../instance/script-group.js';
import { BatchScheduler } from '../scheduler/batch-scheduler.js';
import { BoundSlots } from '../scheduler/bound-slots.js';
import { ScriptExecution } from '../scheduler/script-execution.js';
import { ScriptSteps } from '../scheduler/script-steps.js';
import { SequenceScheduler } from '../scheduler/sequence-scheduler.js';
import type { AssemblyParts } from './assembly-parts.js';
import type { ModelScheduler } from './create-scheduler.js';

export function createScriptScheduler(
  { clock, wheel, log }: AssemblyParts,
  made: {
    readonly config: ModelConfig;
    readonly group: ScriptGroup;
    readonly model: ServedModel;
  },
): ModelScheduler {
  const { config, group: runner } = made;
  const { statistics, decoupled = false } = made.model;
  const version = String(made.model.version);
  const parts = { config, version, runner, clock, wheel, statistics };
  if (!config.sequence)
    return new BatchScheduler({
      ...parts,
      execution: (failed) => new ScriptExecution({ ...parts, decoupled }, failed),
    });
  const slots = new BoundSlots(config, runner);
  return new SequenceScheduler({
    ...parts,
    log,
    slots,
    execution: new ScriptSteps(config, version),
  });
}
