// The configuration of a remote model, completed by what its endpoints say where that was asked, checked, and compiled.

import {
  completeFromEndpoints,
  endpointProblems,
  type DescribedModel,
} from '../config/complete-from-endpoints.js';
import { normalizeModelConfig } from '../config/complete-model-config.js';
import { configOrigins, type ConfigStage } from '../config/config-origins.js';
import { InvalidModelConfig } from '../config/config-problem.js';
import { compileModelConfig } from '../config/model-config.js';
import { validateModelConfig } from '../config/validate-model-config.js';
import { validateTensors } from '../config/validate-tensors.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { CompletedConfig } from './complete-onnx-config.js';

/** `described`: undefined where the configuration says all. @throws InvalidModelConfig */
export function completeRemoteConfig(
  { written, message, name }: ModelDescription,
  described: DescribedModel | undefined,
): CompletedConfig {
  const stages: ConfigStage[] = [written, { message, origin: 'default' }];
  let complete = message;
  if (described) {
    const filled = completeFromEndpoints(message, described);
    InvalidModelConfig.check(endpointProblems(filled, described));
    complete = normalizeModelConfig(filled, { hasGpu: false });
    stages.push({ message: filled, origin: 'model' });
  }
  InvalidModelConfig.check([...validateModelConfig(complete, name), ...validateTensors(complete)]);
  return {
    ...compileModelConfig(complete, NO_SCALARS),
    configOrigins: () => configOrigins(stages),
  };
}

const NO_SCALARS = { inputs: [], outputs: [] };
