// Whether a model that asks others fits them, as they serve now.

import { cascadeConfig, type StageConfig } from '../config/cascade-config.js';
import { cascadePartProblems, type CascadePart } from '../config/check-cascade.js';
import { decoupledProblems, type CheckedStep } from '../config/check-decoupled-steps.js';
import { partProblems, type Part } from '../config/check-parts.js';
import { InvalidModelConfig, type ConfigProblem } from '../config/config-problem.js';
import { ensembleConfig, type PartConfig } from '../config/ensemble-config.js';
import type { ModelConfigMessage } from '../config/model-config-message.js';
import type { ModelCatalog, ServedModel } from '../core/model-catalog.js';
import type { ModelDescription } from '../repository/model-description.js';
import { partModel, servedPart } from './part-model.js';

/** @throws InvalidModelConfig with everything that does not fit */
export function pipelineCheck(catalog: ModelCatalog): (description: ModelDescription) => void {
  return ({ message }) => {
    const ensemble = ensembleConfig(message);
    const cascade = cascadeConfig(message);
    if (ensemble) checkSteps(catalog, message, ensemble.steps);
    if (cascade) checkStages(catalog, message, cascade.stages);
  };
}

// ---- details below; callers need not read ----

function checkSteps(
  catalog: ModelCatalog,
  message: ModelConfigMessage,
  steps: readonly PartConfig[],
): void {
  const parts = steps.map((config, index): Part & CheckedStep => {
    const { configMessage, decoupled = false } = servedPart(catalog, config.model);
    const path = `ensemble_scheduling.step[${index}]`;
    return { config, model: partModel(configMessage), path, decoupled };
  });
  const { name = '', model_transaction_policy: policy } = message;
  InvalidModelConfig.check([
    ...decoupledProblems({ name, decoupled: policy?.decoupled === true }, parts),
    ...partProblems('ensemble', partModel(message), parts),
  ]);
}

function checkStages(
  catalog: ModelCatalog,
  message: ModelConfigMessage,
  stages: readonly StageConfig[],
): void {
  const problems: ConfigProblem[] = [];
  const parts = stages.map((config, index): CascadePart => {
    const path = `cascade_scheduling.stage[${index}]`;
    const served = servedPart(catalog, config.model);
    problems.push(...manyAnswers(served, path), ...sequences(served, path));
    return { config, model: partModel(served.configMessage), path };
  });
  InvalidModelConfig.check([...problems, ...cascadePartProblems(partModel(message), parts)]);
}

function manyAnswers({ decoupled, name }: ServedModel, path: string): ConfigProblem[] {
  if (!decoupled) return [];
  const message = `stage asks model '${name}', which answers a request any number of times (decoupled); stages need one answer`;
  return [{ path, message }];
}

function sequences({ configMessage, name }: ServedModel, path: string): ConfigProblem[] {
  if (!configMessage['sequence_batching']) return [];
  const message = `stage asks model '${name}', which takes sequences; rows of a cascade are none`;
  return [{ path, message }];
}
