// A model written in TypeScript = observe > validate (> response cache) > scheduler > instances, each a thread of its own. Its code is
// bundled once; every thread, also one that replaces another, runs the same.

import { resolve } from 'node:path';
import { configOrigins } from '../config/config-origins.js';
import { instanceGroupsOf } from '../config/instance-group-config.js';
import { compileModelConfig } from '../config/model-config.js';
import type { ScriptSettings } from '../config/script-settings.js';
import { CustomMetrics } from '../core/custom-metrics.js';
import { ModelStatistics } from '../core/model-statistics.js';
import { ScriptGroup } from '../instance/script-group.js';
import { NestedModels } from '../pipeline/nested-models.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { LoadedVersion } from '../repository/servable-handle.js';
import type { ScriptBundle, ScriptToLoad } from '../worker/script-protocol.js';
import { ScriptPositions } from '../worker/script-positions.js';
import type { AssemblyOptions, AssemblyParts } from './assembly-parts.js';
import { checkScriptModel } from './check-script-model.js';
import type { CompletedConfig } from './complete-onnx-config.js';
import { createScriptScheduler } from './create-script-scheduler.js';
import { ScheduledVersion } from './scheduled-version.js';
import { bundleScript } from './script-bundle.js';
import { servedModel } from './served-model.js';
import { VersionCaching } from './version-caching.js';
import { warmUpScript } from './warm-up-script.js';

interface ScriptVersion {
  readonly description: ModelDescription;
  readonly version: number;
}

/** Resolves when the version has been warmed up. @throws RuntimeError that says what is wrong with it, and where */
export async function assembleScriptModel(
  parts: AssemblyParts,
  options: AssemblyOptions,
  of: ScriptVersion,
): Promise<LoadedVersion> {
  const { description, version } = of;
  const settings = await checkScriptModel(description);
  const caching = await VersionCaching.begin(parts, options, of);
  const statistics = new ModelStatistics({ ...options, cache: caching?.statistics });
  const config = scriptConfig(description, settings);
  const { name, directory } = description;
  const bundle = await bundleScript(
    resolve(directory, String(version)),
    description.message.default_model_filename ?? '',
  );
  const others = new NestedModels(parts, { name, version });
  const customMetrics = new CustomMetrics();
  const group = await ScriptGroup.start({
    ...reportsOf(parts, { of, bundle, customMetrics }),
    ...{ clock: parts.clock, wheel: parts.wheel, limiter: parts.limiter, limits: settings, others },
    script: scriptToLoad(of, { config, settings, bundle }),
    groups: instanceGroupsOf(description.message),
    isBound: config.sequence !== undefined,
  });
  const { decoupled } = settings;
  try {
    await warmUpScript(parts.clock, { config, group, statistics, directory });
    const served = await servedModel(config, directory, { version, statistics });
    const model = Object.freeze({ ...served, decoupled, customMetrics, pipeline: others.node });
    const scheduler = createScriptScheduler(parts, { config, group, model });
    const cached = await caching?.layer(parts, config);
    const complete = (changed: ModelDescription): Promise<CompletedConfig> =>
      Promise.resolve(scriptConfig(changed, settings));
    const made = { config, instances: group, scheduler, model, complete, cached, textOnly: false };
    return new ScheduledVersion(parts, made);
  } catch (error) {
    await group.close();
    throw error;
  }
}

// ---- details below; callers need not read ----

/** All of it has been written, as there is nothing to take it from. */
function scriptConfig(
  { written, message }: ModelDescription,
  { decoupled }: ScriptSettings,
): CompletedConfig {
  const config = compileModelConfig(message, { inputs: [], outputs: [] });
  const { batching } = config;
  return {
    ...config,
    batching: decoupled ? { ...batching, combine: false } : batching,
    configOrigins: () => configOrigins([written, { message, origin: 'default' }]),
  };
}

function scriptToLoad(
  { description: { name, directory }, version }: ScriptVersion,
  {
    config,
    settings,
    bundle,
  }: {
    readonly config: CompletedConfig;
    readonly settings: ScriptSettings;
    readonly bundle: ScriptBundle;
  },
): ScriptToLoad {
  const { batched, batching, outputs } = config;
  const { decoupled, parameters } = settings;
  return {
    ...{ model: name, version, parameters, batched, decoupled, bundle },
    directory: resolve(directory, String(version)),
    maxBatchSize: batched ? batching.maxBatchSize : 0,
    outputs: outputs.map((output) => {
      return { name: output.name, dataType: output.dataType, dims: output.modelDims };
    }),
  };
}

/** Where that goes which a thread tells of itself. */
function reportsOf(
  { log }: AssemblyParts,
  {
    of: { description, version },
    bundle,
    customMetrics,
  }: {
    readonly of: ScriptVersion;
    readonly bundle: ScriptBundle;
    readonly customMetrics: CustomMetrics;
  },
): Pick<Parameters<typeof ScriptGroup.start>[0], 'logged' | 'measured' | 'describe' | 'died'> {
  const about = { model: description.name, version };
  const positions = new ScriptPositions(bundle);
  return {
    logged: ({ level, message, fields }) => log[level]({ ...fields, ...about }, message),
    measured: (updates) => updates.forEach((update) => customMetrics.update(update)),
    describe: (error) => positions.describe(error),
    died: ({ message }) => log.error(about, `${message}; it is replaced`),
  };
}
