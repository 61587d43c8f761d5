// Whether a model that asks others fits them, as they serve now.

import { cascadeConfig, type StageConfig } from '../config/cascade-config.js';
import { cascadePartProblems, type CascadePart } from '../config/check-cascade.js';
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

interface Asked {
  /** What the texts call it. */
  readonly what: 'step' | 'stage';
  readonly path: string;
}

function checkSteps(
  catalog: ModelCatalog,
  message: ModelConfigMessage,
  steps: readonly PartConfig[],
): void {
  const parts = steps.map((config, index): Part => {
    const asked: Asked = { what: 'step', path: `ensemble_scheduling.step[${index}]` };
    const served = servedPart(catalog, config.model);
    InvalidModelConfig.check(manyAnswers(served, asked));
    return { config, model: partModel(served.configMessage), path: asked.path };
  });
  InvalidModelConfig.check(partProblems('ensemble', partModel(message), parts));
}

function checkStages(
  catalog: ModelCatalog,
  message: ModelConfigMessage,
  stages: readonly StageConfig[],
): void {
  const problems: ConfigProblem[] = [];
  const parts = stages.map((config, index): CascadePart => {
    const asked: Asked = { what: 'stage', path: `cascade_scheduling.stage[${index}]` };
    const served = servedPart(catalog, config.model);
    problems.push(...manyAnswers(served, asked), ...sequences(served, asked));
    return { config, model: partModel(served.configMessage), path: asked.path };
  });
  InvalidModelConfig.check([...problems, ...cascadePartProblems(partModel(message), parts)]);
}

function manyAnswers({ decoupled, name }: ServedModel, { what, path }: Asked): ConfigProblem[] {
  if (!decoupled) return [];
  const message = `${what} asks model '${name}', which answers a request any number of times (decoupled); ${what}s need one answer`;
  return [{ path, message }];
}

function sequences({ configMessage, name }: ServedModel, { what, path }: Asked): ConfigProblem[] {
  if (!configMessage['sequence_batching']) return [];
  const message = `${what} asks model '${name}', which takes sequences; rows of a cascade are none`;
  return [{ path, message }];
}
