// What can be said of an ONNX model before it is opened.

import { InvalidModelConfig, type ConfigProblem } from '../config/config-problem.js';
import { readSessionSettings, type SessionSettings } from '../config/session-settings.js';
import { validateTensors } from '../config/validate-tensors.js';
import { readLabels } from '../repository/label-file.js';
import type { ModelDescription } from '../repository/model-description.js';

/** @throws RuntimeError that says what is wrong with it */
export async function checkOnnxModel(description: ModelDescription): Promise<SessionSettings> {
  InvalidModelConfig.check(writtenProblems(description));
  await checkLabelFiles(description);
  const { settings, problems } = readSessionSettings(description.message);
  InvalidModelConfig.check(problems);
  return settings;
}

// ---- details below; callers need not read ----

/** What is wrong with what is written, before the model is opened. */
function writtenProblems({ message, name }: ModelDescription): ConfigProblem[] {
  const problems = validateTensors(message);
  if (message.model_operations?.op_library_filename?.length) {
    const text = `custom operator libraries cannot be loaded: onnxruntime-node has no way to register them`;
    problems.push({
      path: 'model_operations.op_library_filename',
      message: `${text} (model '${name}')`,
    });
  }
  message.input?.forEach(({ name: input = '', optional }, index) => {
    if (!optional) return;
    const text = `optional input '${input}' of ONNX model '${name}' is not supported: onnxruntime-node cannot feed it`;
    problems.push({ path: `input[${index}].optional`, message: text });
  });
  return problems;
}

export async function checkLabelFiles({ directory, message }: ModelDescription): Promise<void> {
  for (const { label_filename: filename } of message.output ?? [])
    if (filename) await readLabels(directory, filename);
}
