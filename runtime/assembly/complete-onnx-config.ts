// The configuration of an ONNX model, completed by what the model says, checked, and compiled.

import {
  completeFromModel,
  LABEL_FILENAME,
  type ModelTensors,
} from '../config/complete-from-model.js';
import { normalizeModelConfig } from '../config/complete-model-config.js';
import { configOrigins, type ConfigStage } from '../config/config-origins.js';
import { InvalidModelConfig } from '../config/config-problem.js';
import { compileModelConfig, type ModelConfig } from '../config/model-config.js';
import { validateAgainstModel } from '../config/validate-against-model.js';
import { validateModelConfig } from '../config/validate-model-config.js';
import { validateSequenceTensors } from '../config/validate-sequence-tensors.js';
import { validateTensors } from '../config/validate-tensors.js';
import { readLabelsIfAny } from '../repository/label-file.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { AssemblyOptions } from './assembly-parts.js';

/** What is served, and how it came to be so. */
export interface CompletedConfig extends ModelConfig {
  readonly configOrigins: () => ReadonlyMap<string, string>;
}

/** @throws InvalidModelConfig where the configuration and the model do not fit */
export async function completeOnnxConfig(
  { written, message, directory, name }: ModelDescription,
  model: ModelTensors,
  options: AssemblyOptions,
): Promise<CompletedConfig> {
  const stages: ConfigStage[] = [written, { message, origin: 'default' }];
  let complete = message;
  if (options.autoComplete) {
    const labels = await readLabelsIfAny(directory, LABEL_FILENAME);
    const labelCount = labels === undefined ? {} : { labelCount: labels.length };
    const inferred = completeFromModel(message, model, { ...options, ...labelCount });
    complete = normalizeModelConfig(inferred, options);
    stages.push({ message: inferred, origin: 'model' }, { message: complete, origin: 'default' });
  }
  InvalidModelConfig.check(validateModelConfig(complete, name));
  InvalidModelConfig.check(validateTensors(complete));
  InvalidModelConfig.check([
    ...validateAgainstModel(complete, model),
    ...validateSequenceTensors(complete, model),
  ]);
  return {
    ...compileModelConfig(complete, model),
    configOrigins: () => configOrigins(stages),
  };
}
