// A version that is in memory only while it is used: made known from what its file declares, and loaded by the first request. A
// model with the parameter `pinned` is loaded at once and stays.

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ModelTensors } from '../config/complete-from-model.js';
import type { ModelConfigMessage } from '../config/model-config-message.js';
import type { RuntimeError } from '../core/errors.js';
import { OnDemandInstances } from '../instance/on-demand-instances.js';
import type { ModelMemory } from '../instance/model-memory.js';
import { directoryBytes } from '../repository/directory-bytes.js';
import type { AssemblyParts } from './assembly-parts.js';
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
  const instances = new OnDemandInstances(parts, {
    modelName: description.name,
    version,
    groups,
    isPinned: isPinned(description.message),
    bytesPerInstance: (await directoryBytes(await directoryOf(modelPath))) + SESSION_BYTES,
    resized: (count) => (statistics.instances = count),
    start: async (wanted) =>
      (await startOnnxInstances(parts, { ...making, groups: wanted })).instances,
  });
  parts.memory.check(instances);
  if (instances.isPinned) await loadNow(instances);
  return { instances, config, loaded };
}

/** Whether the configuration says that the model never leaves memory. */
export function isPinned({ parameters }: ModelConfigMessage): boolean {
  return parameters?.['pinned']?.string_value === 'true';
}

// ---- details below; callers need not read ----

/** Where the file does not say all, a session is made to be asked. */
async function declaredTensors(parts: AssemblyParts, making: OnnxMaking): Promise<ModelTensors> {
  const declared = await parts.threads.describe(making.modelPath);
  if (declared) return declared;
  const { instances, loaded } = await startOnnxInstances(parts, making);
  await instances.close();
  return loaded;
}

async function directoryOf(modelPath: string): Promise<string> {
  return (await stat(modelPath)).isDirectory() ? modelPath : dirname(modelPath);
}

async function loadNow(instances: OnDemandInstances): Promise<void> {
  let failure: RuntimeError | undefined;
  instances.onLost((error) => (failure = error));
  await instances.wake();
  if (failure) throw failure;
}
