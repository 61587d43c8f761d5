// An ONNX model = observe > validate (> response cache) > scheduler > instances. Its instances are made at once and stay, or, where
// models share a limited memory, when they are needed.

import { join } from 'node:path';
import type { ModelTensors } from '../config/complete-from-model.js';
import { instanceGroupsOf } from '../config/instance-group-config.js';
import { ModelStatistics } from '../core/model-statistics.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { LoadedVersion } from '../repository/servable-handle.js';
import type { AssemblyOptions, AssemblyParts } from './assembly-parts.js';
import { checkOnnxModel } from './check-onnx-model.js';
import { completeOnnxConfig, type CompletedConfig } from './complete-onnx-config.js';
import { createScheduler } from './create-scheduler.js';
import { sameFiles } from './same-files.js';
import { startOnDemand } from './on-demand-model.js';
import { startOnnxInstances } from './onnx-instances.js';
import type { MadeInstances, OnnxMaking } from './onnx-making.js';
import { ScheduledVersion } from './scheduled-version.js';
import { servedModel } from './served-model.js';
import { VersionCaching } from './version-caching.js';

/** Resolves when the version has been warmed up. @throws RuntimeError that says what is wrong with it */
export async function assembleOnnxModel(
  parts: AssemblyParts,
  options: AssemblyOptions,
  { description, version }: { readonly description: ModelDescription; readonly version: number },
): Promise<LoadedVersion> {
  const { message, directory } = description;
  const settings = await checkOnnxModel(description);
  const modelPath = join(directory, String(version), message.default_model_filename ?? '');
  const caching = await VersionCaching.begin(parts, options, { description, version });
  const statistics = new ModelStatistics({ ...options, cache: caching?.statistics });
  const making: OnnxMaking = {
    ...{ description, version, modelPath, settings, statistics },
    groups: instanceGroupsOf(message),
    complete: (model: ModelTensors) => completeOnnxConfig(description, model, options),
    verify: await sameFiles(description, version),
  };
  const { instances, config, loaded } = await start(parts, making);
  try {
    const model = await servedModel(config, directory, { version, statistics });
    const complete = (changed: ModelDescription): Promise<CompletedConfig> =>
      completeOnnxConfig(changed, loaded, options);
    const cached = await caching?.layer(parts, config);
    const scheduler = await createScheduler(parts, { config, instances, model, directory });
    const textOnly = true;
    const made = { config, instances, scheduler, model, complete, cached, textOnly };
    return new ScheduledVersion(parts, made);
  } catch (error) {
    await instances.close();
    throw error;
  }
}

// ---- details below; callers need not read ----

function start(parts: AssemblyParts, making: OnnxMaking): Promise<MadeInstances> {
  const { memory } = parts;
  return memory ? startOnDemand({ ...parts, memory }, making) : startOnnxInstances(parts, making);
}
