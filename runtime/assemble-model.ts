// Configuration -> Servable. The only file that knows every kind of model and every layer:
//
//   onnx model   = observe > validate > batch scheduler > instances

import { join } from 'node:path';
import {
  completeFromModel,
  LABEL_FILENAME,
  type ModelTensors,
} from './config/complete-from-model.js';
import { normalizeModelConfig, ONNX_BACKEND } from './config/complete-model-config.js';
import { InvalidModelConfig, type ConfigProblem } from './config/config-problem.js';
import { instanceGroupsOf } from './config/instance-group-config.js';
import type { ModelConfigMessage } from './config/model-config-message.js';
import { compileModelConfig, type ModelConfig, type TensorSpec } from './config/model-config.js';
import { readSessionSettings, type SessionSettings } from './config/session-settings.js';
import { unservedSetting } from './config/unserved-settings.js';
import { validateAgainstModel } from './config/validate-against-model.js';
import { validateModelConfig } from './config/validate-model-config.js';
import { validateTensors } from './config/validate-tensors.js';
import type { Clock } from './core/clock.js';
import { RuntimeError } from './core/errors.js';
import type { ServedModel, TensorMetadata } from './core/model-catalog.js';
import { ModelStatistics } from './core/model-statistics.js';
import { stack } from './core/servable.js';
import type { TimerWheel } from './core/timer-wheel.js';
import type { ExecutorThreads } from './instance/executor-threads.js';
import { InstanceGroup } from './instance/instance-group.js';
import { observe } from './layer/observe.js';
import { validateInputs } from './layer/validate-inputs.js';
import { readLabels, readLabelsIfAny } from './repository/label-file.js';
import type { ModelDescription } from './repository/model-description.js';
import type { LoadVersion } from './repository/model-loader.js';
import type { LoadedVersion } from './repository/servable-handle.js';
import { BatchScheduler } from './scheduler/batch-scheduler.js';

export interface AssemblyParts {
  readonly threads: ExecutorThreads;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
}

export interface AssemblyOptions {
  readonly autoComplete: boolean;
  readonly defaultMaxBatchSize: number;
  readonly hasGpu: boolean;
  /** Statistics keep what quantiles are made of. */
  readonly summaries: boolean;
}

export function modelAssembler(parts: AssemblyParts, options: AssemblyOptions): LoadVersion {
  return async (description, version) => {
    const { message } = description;
    checkKind(message);
    InvalidModelConfig.check(writtenProblems(description, options));
    await checkLabelFiles(description);
    const { settings, problems } = readSessionSettings(message);
    InvalidModelConfig.check(problems);
    const { group, loaded } = await startInstances(parts, { description, version, settings });
    try {
      const config = await completeConfig(description, loaded, options);
      await group.bind(namesOf(config.inputs), namesOf(config.outputs));
      const statistics = new ModelStatistics(options);
      return await assembleOnnx(parts, { description, version, config, group, statistics });
    } catch (error) {
      await group.close();
      throw error;
    }
  };
}

// ---- details below; callers need not read ----

function checkKind(message: ModelConfigMessage): void {
  const { backend = '', platform = '' } = message;
  if (backend !== '' && backend !== ONNX_BACKEND) {
    const text = `unable to find backend library for backend '${backend}', try specifying runtime on the model configuration.`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }
  const unserved = backend === '' ? `platform '${platform}'` : unservedSetting(message);
  if (unserved === undefined) return;
  throw new RuntimeError('UNSUPPORTED', `${unserved} is not supported by this version of inferd`);
}

/** What is wrong with what is written, before the model is opened. */
function writtenProblems(
  { message, hasConfigFile, name }: ModelDescription,
  { autoComplete }: AssemblyOptions,
): ConfigProblem[] {
  if (!autoComplete && !hasConfigFile) {
    const text = `must provide model configuration for '${name}' with option --disable-auto-complete-config`;
    return [{ path: '', message: text }];
  }
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

async function checkLabelFiles({ directory, message }: ModelDescription): Promise<void> {
  for (const { label_filename: filename } of message.output ?? [])
    if (filename) await readLabels(directory, filename);
}

async function startInstances(
  { threads }: AssemblyParts,
  model: { description: ModelDescription; version: number; settings: SessionSettings },
): Promise<{ group: InstanceGroup; loaded: ModelTensors }> {
  const { message, directory, name } = model.description;
  return InstanceGroup.start(threads, {
    modelName: name,
    modelPath: join(directory, String(model.version), message.default_model_filename ?? ''),
    groups: instanceGroupsOf(message),
    settings: model.settings,
  });
}

async function completeConfig(
  { message, directory, name }: ModelDescription,
  model: ModelTensors,
  options: AssemblyOptions,
): Promise<ModelConfig> {
  let complete = message;
  if (options.autoComplete) {
    const labels = await readLabelsIfAny(directory, LABEL_FILENAME);
    const labelCount = labels === undefined ? {} : { labelCount: labels.length };
    complete = normalizeModelConfig(
      completeFromModel(message, model, { ...options, ...labelCount }),
      options,
    );
  }
  InvalidModelConfig.check(validateModelConfig(complete, name));
  InvalidModelConfig.check(validateTensors(complete));
  InvalidModelConfig.check(validateAgainstModel(complete, model));
  return compileModelConfig(complete, model);
}

async function assembleOnnx(
  { clock, wheel }: AssemblyParts,
  parts: {
    description: ModelDescription;
    version: number;
    config: ModelConfig;
    group: InstanceGroup;
    statistics: ModelStatistics;
  },
): Promise<LoadedVersion> {
  const { config, version, group, statistics } = parts;
  statistics.instances = group.size;
  const scheduler = new BatchScheduler({
    config,
    version: String(version),
    runner: group,
    clock,
    wheel,
    statistics,
  });
  const layers = [observe(statistics, clock), validateInputs(config, { textOnly: true })];
  return {
    model: await servedModel(parts.description, { version, config, statistics }),
    servable: stack(layers, scheduler),
    close: async () => {
      scheduler.close();
      await group.close();
    },
  };
}

async function servedModel(
  { directory }: ModelDescription,
  {
    version,
    config,
    statistics,
  }: { version: number; config: ModelConfig; statistics: ModelStatistics },
): Promise<ServedModel> {
  const labels = new Map<string, readonly string[]>();
  for (const { name, labelFilename } of config.outputs)
    if (labelFilename !== '') labels.set(name, await readLabels(directory, labelFilename));
  const metadata = (spec: TensorSpec): TensorMetadata => ({
    name: spec.name,
    dataType: spec.dataType,
    shape: config.batched ? [-1, ...spec.dims] : spec.dims,
  });
  return Object.freeze({
    name: config.name,
    version,
    platform: config.platform,
    batched: config.batched,
    inputs: config.inputs.map(metadata),
    outputs: config.outputs.map(metadata),
    labels,
    configMessage: config.message,
    statistics,
  });
}

function namesOf(tensors: readonly TensorSpec[]): string[] {
  return tensors.map(({ name }) => name);
}
