// The states that a batch of steps leaves, each as a tensor of its own.

import type { ModelConfig, OutputSpec } from '../config/model-config.js';
import { RuntimeError } from '../core/errors.js';
import { formatShape, type Tensor } from '../core/tensor.js';
import type { BatchResult } from './batch-runner.js';
import { OutputCut, type MergedEntry } from './output-cut.js';
import { stateOutput } from './sequence-feed.js';

interface StateOutput {
  readonly spec: OutputSpec;
  /** Where it is among the outputs of the model. */
  readonly index: number;
}

export class StateCutter {
  readonly #config: ModelConfig;
  readonly #outputs: readonly StateOutput[];

  /** `fed`: the configuration as the instances know it. */
  constructor(config: ModelConfig, fed: ModelConfig) {
    this.#config = config;
    this.#outputs = (config.sequence?.states ?? []).map((state) => ({
      spec: stateOutput(state),
      index: fed.outputs.findIndex(({ name }) => name === state.outputName),
    }));
  }

  /** Those of each entry, in the order of the configuration. @throws RuntimeError BACKEND_FAILED for one of another shape */
  cut(entries: readonly MergedEntry[], { outputs }: BatchResult): Tensor[][] {
    const rows = entries.length;
    const cuts = this.#outputs.map(({ spec, index }) => {
      const output = outputs[index]!;
      this.#check(spec, output.shape);
      return new OutputCut(this.#config, spec, { rows, output });
    });
    return entries.map((entry) => cuts.map((cut) => ownCopy(cut.next(entry))));
  }

  // ---- details below; callers need not read ----

  /** ONNX Runtime lets a model make what it has not declared; in the next batch it would not be told apart from its neighbours. */
  #check({ name, dims }: OutputSpec, shape: readonly number[]): void {
    const { batched, name: model } = this.#config;
    const row = batched ? shape.slice(1) : shape;
    const fits =
      row.length === dims.length && dims.every((size, i) => size === -1 || size === row[i]);
    if (fits) return;
    const text = `model '${model}' has made state '${name}' of shape ${formatShape(row)}, but dims ${formatShape(dims)} is expected`;
    throw new RuntimeError('BACKEND_FAILED', text);
  }
}

/** A view would keep the result of the whole batch in memory for as long as the sequence lives. */
function ownCopy(tensor: Tensor): Tensor {
  return { ...tensor, data: tensor.data.slice() };
}
