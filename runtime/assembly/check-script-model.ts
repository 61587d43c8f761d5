// What can be said of a model written in TypeScript before its code is run.

import { InvalidModelConfig } from '../config/config-problem.js';
import { readScriptSettings, type ScriptSettings } from '../config/script-settings.js';
import { validateTensors } from '../config/validate-tensors.js';
import { RuntimeError } from '../core/errors.js';
import type { ModelDescription } from '../repository/model-description.js';
import { checkLabelFiles } from './check-onnx-model.js';

/** @throws RuntimeError that says what is wrong with it */
export async function checkScriptModel(description: ModelDescription): Promise<ScriptSettings> {
  const { message, name, overrideFiles } = description;
  if (overrideFiles) {
    const text = `a load call cannot bring the files of model '${name}', which is written in TypeScript: code is run from the repository only`;
    throw new RuntimeError('UNSUPPORTED', text);
  }
  const { settings, problems } = readScriptSettings(message);
  InvalidModelConfig.check([...problems, ...validateTensors(message)]);
  await checkLabelFiles(description);
  return settings;
}
