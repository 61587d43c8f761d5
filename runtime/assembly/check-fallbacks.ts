// Whether a version fits the models it falls back on, as far as they serve now. One that does not serve is no reason not to be served:
// it may come later, and is only asked when something is wrong anyway.

import { fallbackProblems } from '../config/check-fallbacks.js';
import { InvalidModelConfig } from '../config/config-problem.js';
import type { ModelConfigMessage } from '../config/model-config-message.js';
import { resilienceConfig } from '../config/resilience-config.js';
import type { ModelCatalog, ServedModel } from '../core/model-catalog.js';
import type { ModelReference } from '../core/pipeline-node.js';
import { partModel } from './part-model.js';

/** `model`: complete, and not served yet. @throws InvalidModelConfig with everything that does not fit */
export function checkFallbacks(catalog: ModelCatalog, model: ServedModel): void {
  const message: ModelConfigMessage = model.configMessage;
  const whole = partModel(message);
  const targets = resilienceConfig(message)?.fallback ?? [];
  const problems = targets.flatMap((target, index) => {
    const served = target.model && servedNow(catalog, target.model);
    if (!served) return [];
    return fallbackProblems(whole, {
      path: `resilience.fallback[${index}]`,
      names: target.names,
      model: partModel(served.configMessage),
      decoupled: served.decoupled ?? false,
    });
  });
  InvalidModelConfig.check(problems);
}

// ---- details below; callers need not read ----

function servedNow(
  catalog: ModelCatalog,
  { name, version }: ModelReference,
): ServedModel | undefined {
  return catalog.readyVersions(name).findLast((one) => version <= 0 || one.version === version);
}
