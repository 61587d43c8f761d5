// The instances of an ONNX model: made, bound to the tensors of its configuration, warmed up.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidModelConfig } from '../config/config-problem.js';
import type { ModelConfig, TensorSpec } from '../config/model-config.js';
import { readWarmUp } from '../config/warm-up-config.js';
import { RuntimeError } from '../core/errors.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import { InstanceGroup } from '../instance/instance-group.js';
import { fedConfig } from '../scheduler/sequence-feed.js';
import { countWarmUp, warmUpBatches } from '../scheduler/warm-up.js';
import type { AssemblyParts } from './assembly-parts.js';
import type { MadeInstances, OnnxMaking } from './onnx-making.js';

/** Where the files of warm-up samples lie in a model's directory. */
const WARM_UP_DIRECTORY = 'warmup';

/** Makes the instances and completes the configuration by what they say. When anything fails, none of them is left. */
export async function startOnnxInstances(
  parts: AssemblyParts,
  making: OnnxMaking,
): Promise<MadeInstances> {
  const { description, modelPath, settings, groups, statistics, verify } = making;
  const { name: modelName, directory } = description;
  const started = await InstanceGroup.start(parts, {
    ...{ modelName, modelPath, groups, settings, verify },
  });
  const { group, loaded } = started;
  try {
    const config = await making.complete(loaded);
    const fed = fedConfig(config);
    await group.bind(sessionInputs(fed), namesOf(fed.outputs));
    await warmUp(parts, { config: fed, group, statistics, directory });
    return { instances: group, config, loaded };
  } catch (error) {
    await group.close();
    throw error;
  }
}

// ---- details below; callers need not read ----

async function warmUp(
  { clock }: AssemblyParts,
  warming: {
    readonly config: ModelConfig;
    readonly group: InstanceGroup;
    readonly statistics: ModelStatistics;
    readonly directory: string;
  },
): Promise<void> {
  const { config, group, statistics, directory } = warming;
  const { samples, problems } = readWarmUp(config);
  InvalidModelConfig.check(problems);
  if (samples.length === 0) return;
  const readSample = (filename: string): Promise<Uint8Array> => readWarmUpFile(directory, filename);
  const batches = await warmUpBatches(config, samples, readSample);
  const results = await group.warmUp(batches);
  results.forEach((result, index) => {
    const { rows } = batches[index % batches.length]!;
    countWarmUp(statistics, { rows, now: clock.now() }, result);
  });
}

/** From the model's directory. */
export async function readWarmUpFile(directory: string, filename: string): Promise<Uint8Array> {
  const path = join(directory, WARM_UP_DIRECTORY, filename);
  try {
    return await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'No such file or directory' : message;
    throw new RuntimeError('INTERNAL', `failed to open text file for read ${path}: ${reason}`);
  }
}

/** In the order of a feed: what clients give, then what the server makes of it. */
function sessionInputs({ inputs, ragged }: ModelConfig): string[] {
  return [...namesOf(inputs), ...(ragged?.batchInputs ?? []).flatMap(({ targets }) => targets)];
}

function namesOf(tensors: readonly TensorSpec[]): string[] {
  return tensors.map(({ name }) => name);
}
