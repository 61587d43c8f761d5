// Steps of sequences of a model written in TypeScript: run as they are, without merging, on the instance whose code remembers their
// sequences, and each answered or failed on its own. The code may keep what it has made of a step before it throws, so that a batch that
// has failed is not tried again.

import type { ModelConfig } from '../config/model-config.js';
import { RuntimeError } from '../core/errors.js';
import type { BoundBatch } from './bound-slots.js';
import { Reshaping } from './reshaping.js';
import type { ScriptEntry } from './script-runner.js';
import { SequenceControls } from './sequence-controls.js';
import type { SequenceBatch } from './sequence-slots.js';
import type { SequenceEntry } from './sequence.js';
import type { StepExecution, StepsResult } from './step-execution.js';

export class ScriptSteps implements StepExecution {
  readonly isRepeatable = false;
  readonly #config: ModelConfig;
  readonly #version: string;
  readonly #controls: SequenceControls;
  readonly #reshaping: Reshaping | undefined;

  /** `version`: decimal text, as responses carry it. */
  constructor(config: ModelConfig, version: string) {
    this.#config = config;
    this.#version = version;
    this.#controls = new SequenceControls(config);
    this.#reshaping = Reshaping.of(config);
  }

  async run(batch: SequenceBatch): Promise<StepsResult> {
    const { instance, rows } = batch as BoundBatch;
    const steps = rows.filter((entry) => entry !== undefined);
    const entries = steps.map((entry) => this.#entry(entry));
    const { answers, ...times } = await instance.run({ entries, streamed: () => undefined });
    let next = 0;
    const outcomes = rows.map((entry) => {
      const answer = entry && answers[next++];
      if (!answer || answer instanceof RuntimeError) return answer;
      const outputs = this.#reshaping?.outputs(answer) ?? answer;
      return { modelName: this.#config.name, modelVersion: this.#version, outputs };
    });
    return { outcomes, rows: steps.length, ...times };
  }

  // ---- details below; callers need not read ----

  #entry(entry: SequenceEntry): ScriptEntry {
    const { call, rows, isStart, isEnd, sequence } = entry;
    const request = this.#reshaping?.request(entry.request) ?? entry.request;
    const inputs = [...request.inputs, ...this.#controls.of(entry)];
    const { id, serial } = sequence;
    const step = { id, serial, start: isStart, end: isEnd };
    return { request: { ...request, inputs }, call, rows, sequence: step };
  }
}
