// Whether a model that asks others fits them, as they serve now.

import { InvalidModelConfig, type ConfigProblem } from '../config/config-problem.js';
import { partProblems, type Part } from '../config/check-parts.js';
import { ensembleConfig } from '../config/ensemble-config.js';
import type { ModelCatalog } from '../core/model-catalog.js';
import type { ModelDescription } from '../repository/model-description.js';
import { partModel, servedPart } from './part-model.js';

/** @throws InvalidModelConfig with everything that does not fit */
export function pipelineCheck(catalog: ModelCatalog): (description: ModelDescription) => void {
  return ({ message }) => {
    const config = ensembleConfig(message);
    if (!config) return;
    const parts = config.steps.map((step, index): Part => {
      const served = servedPart(catalog, step.model);
      const path = `ensemble_scheduling.step[${index}]`;
      if (served.decoupled) throw new InvalidModelConfig([manyAnswers(path, served.name)]);
      return { config: step, model: partModel(served.configMessage), path };
    });
    InvalidModelConfig.check(partProblems('ensemble', partModel(message), parts));
  };
}

// ---- details below; callers need not read ----

function manyAnswers(path: string, model: string): ConfigProblem {
  const message = `step asks model '${model}', which answers a request any number of times (decoupled); steps need one answer`;
  return { path, message };
}
