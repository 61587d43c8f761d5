// A version that is in memory only while it is used: made known from what its file declares, and loaded by the first request. A
// model with the parameter `pinned` is loaded at once and stays.

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ModelTensors } from '../config/complete-from-model.js';
import type { ModelConfigMessage } from '../config/model-config-message.js';
import { InvalidModelConfig } from '../config/config-problem.js';
import { validateAgainstModel } from '../config/validate-against-model.js';
import type { RuntimeError } from '../core/errors.js';
import type { Instances } from '../instance/instances.js';
import { OnDemandInstances } from '../instance/on-demand-instances.js';
import type { ModelMemory } from '../instance/model-memory.js';
import { directoryBytes } from '../repository/directory-bytes.js';
import type { AssemblyParts } from './assembly-parts.js';
import type { CompletedConfig } from './complete-onnx-config.js';
import { startOnnxInstances } from './onnx-instances.js';
import type { MadeInstances, OnnxMaking } from './onnx-making.js';

/** What a session takes besides its weights; measured with onnxruntime-node 1.30 and a 17-kB model. */
const SESSION_BYTES = 128 * 1024;

export async function startOnDemand(
  parts: AssemblyParts & { readonly memory: ModelMemory },
  making: OnnxMaking,
): Promise<MadeInstances> {
  const { description, version, statistics, modelPath, groups } = making;
  const loaded = await declaredTensors(parts, making);
  const config = await making.complete(loaded);
  const trouble = (error: RuntimeError): void => parts.threads.trouble(error);
  const instances = new OnDemandInstances(
    { ...parts, trouble },
    {
      modelName: description.name,
      version,
      groups,
      isPinned: isPinned(description.message),
      bytesPerInstance: (await directoryBytes(await directoryOf(modelPath))) + SESSION_BYTES,
      resized: (count) => (statistics.instances = count),
      start: (wanted) => startAgain(parts, { ...making, groups: wanted }, config),
    },
  );
  parts.memory.check(instances, instances.bytes);
  if (instances.isPinned) await instances.wake();
  return { instances, config, loaded };
}

// ---- details below; callers need not read ----

/** Whether the configuration says that the model never leaves memory. */
function isPinned({ parameters }: ModelConfigMessage): boolean {
  return parameters?.['pinned']?.string_value === 'true';
}

/** Where the file does not say all, a session is made to be asked. */
async function declaredTensors(parts: AssemblyParts, making: OnnxMaking): Promise<ModelTensors> {
  const declared = await parts.threads.describe(making.modelPath);
  if (declared) return declared;
  const [group] = making.groups;
  const groups = group ? [{ ...group, count: 1, isPassive: false }] : [];
  const { instances, loaded } = await startOnnxInstances(parts, { ...making, groups });
  await instances.close();
  return loaded;
}

async function directoryOf(modelPath: string): Promise<string> {
  return (await stat(modelPath)).isDirectory() ? modelPath : dirname(modelPath);
}

/** Of the same files and for the same tensors as they are known by. */
async function startAgain(
  parts: AssemblyParts,
  making: OnnxMaking,
  config: CompletedConfig,
): Promise<Instances> {
  const complete = (model: ModelTensors): Promise<CompletedConfig> => {
    InvalidModelConfig.check(validateAgainstModel(config.message, model));
    return Promise.resolve(config);
  };
  await making.verify();
  const { instances } = await startOnnxInstances(parts, { ...making, complete });
  try {
    await making.verify();
    return instances;
  } catch (error) {
    await instances.close();
    throw error;
  }
}
