// The samples of a model in TypeScript, which each of its instances runs before it serves: as requests, and as sequences of one step where
// the model has sequences.

import { InvalidModelConfig } from '../config/config-problem.js';
import type { ModelConfig } from '../config/model-config.js';
import { readWarmUp } from '../config/warm-up-config.js';
import { Call } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import type { InferenceRequest } from '../core/inference.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import type { ScriptGroup } from '../instance/script-group.js';
import { Reshaping } from '../scheduler/reshaping.js';
import type { ScriptBatch, ScriptEntry } from '../scheduler/script-runner.js';
import { SequenceControls } from '../scheduler/sequence-controls.js';
import { countWarmUp, warmUpRequests } from '../scheduler/warm-up.js';
import { readWarmUpFile } from './onnx-instances.js';

export interface ScriptWarmUp {
  readonly config: ModelConfig;
  readonly group: ScriptGroup;
  readonly statistics: ModelStatistics;
  readonly directory: string;
}

/** @throws RuntimeError that says what is wrong with the samples, or with what the code made of them */
export async function warmUpScript(clock: Clock, warming: ScriptWarmUp): Promise<void> {
  const { config, group, statistics, directory } = warming;
  const { samples, problems } = readWarmUp(config);
  InvalidModelConfig.check(problems);
  if (samples.length === 0) return;
  const samplesOf = await warmUpRequests(config, samples, (file) =>
    readWarmUpFile(directory, file),
  );
  const entryOf = entryMaker(config, clock);
  const batches = samplesOf.map(({ requests }): ScriptBatch => ({
    entries: requests.map(entryOf),
    streamed: () => undefined,
  }));
  const results = await group.warmUp(batches);
  results.forEach((times, index) => {
    const rows = batches[index % batches.length]!.entries.length;
    countWarmUp(statistics, { rows, now: clock.now() }, times);
  });
}

// ---- details below; callers need not read ----

/** No sequence that a caller begins has a serial number below 0. */
const STEP = { id: 0, serial: -1, start: true, end: true };

function entryMaker(config: ModelConfig, clock: Clock): (request: InferenceRequest) => ScriptEntry {
  const reshaping = Reshaping.of(config);
  const controls = new SequenceControls(config).of({
    ...{ isStart: true, isEnd: true, sequence: STEP },
  });
  return (given) => {
    const seen = reshaping?.request(given) ?? given;
    const request = { ...seen, inputs: [...seen.inputs, ...controls] };
    const entry = { request, rows: 1, call: new Call(clock.now()) };
    return config.sequence ? { ...entry, sequence: STEP } : entry;
  };
}
