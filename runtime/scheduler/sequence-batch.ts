// Steps of sequences -> one feed, and one result -> their responses and the states they leave. A row without a request (a slot of
// a positional batch in which nothing is to be done) is zeros, READY false, and what comes out of it is thrown away.

import type { ModelConfig } from '../config/model-config.js';
import type { BooleanControl, ControlSpec, SequenceConfig } from '../config/sequence-config.js';
import { elementBytes } from '../core/data-type.js';
import { bug } from '../core/errors.js';
import { NO_PARAMETERS, type InferenceResponse } from '../core/inference.js';
import { elementCount, type Tensor } from '../core/tensor.js';
import { mergeBatch, sameInputsTest, splitBatch } from './batch.js';
import type { MergedEntry } from './output-cut.js';
import type { BatchFeed, BatchResult } from './batch-runner.js';
import { fedConfig } from './sequence-feed.js';
import { sequenceIdBytes } from './sequence-id.js';
import type { SequenceEntry } from './sequence.js';

/** undefined: a row without a request. */
export type SequenceRow = SequenceEntry | undefined;

export interface StepResult {
  readonly response: InferenceResponse;
  readonly state: readonly Tensor[];
}

export class SequenceBatches {
  readonly #config: ModelConfig;
  readonly #fed: ModelConfig;
  readonly #sequence: SequenceConfig;
  readonly #initialState: readonly Tensor[];
  readonly #flags = new Map<BooleanControl, { readonly no: Tensor; readonly yes: Tensor }>();
  readonly #sameInputs: ReturnType<typeof sameInputsTest>;
  /** Where the states are among the outputs of the model. */
  readonly #stateOutputs: readonly number[];

  /** `initialState`: a tensor for each state of the configuration, without the batch dimension. */
  constructor(config: ModelConfig, initialState: readonly Tensor[]) {
    if (!config.sequence) throw bug(`model '${config.name}' has no sequences`);
    this.#config = config;
    this.#fed = fedConfig(config);
    this.#sequence = config.sequence;
    this.#sameInputs = sameInputsTest(this.#fed);
    this.#initialState = initialState.map((tensor) => ({
      ...tensor,
      shape: config.batched ? [1, ...tensor.shape] : tensor.shape,
    }));
    this.#stateOutputs = config.sequence.states.map(({ outputName }) =>
      this.#fed.outputs.findIndex(({ name }) => name === outputName),
    );
    for (const control of config.sequence.controls)
      if (control.kind !== 'CORRID')
        this.#flags.set(control, {
          no: this.#control(control, numberBytes(control, control.falseValue)),
          yes: this.#control(control, numberBytes(control, control.trueValue)),
        });
  }

  /** Whether two steps may share a batch: their inputs and their states have the same shapes. */
  sameShape(a: SequenceEntry, b: SequenceEntry): boolean {
    return this.#sameInputs(this.#step(a).request, this.#step(b).request);
  }

  merge(rows: readonly SequenceRow[]): BatchFeed {
    const steps = rows.map((entry) => entry && this.#step(entry));
    const pattern = steps.find((step) => step !== undefined);
    if (!pattern) throw bug('a batch of sequences has no request');
    return mergeBatch(
      this.#fed,
      steps.map((step) => step ?? this.#hole(pattern)),
    );
  }

  /** In the order of `rows`; nothing is kept of the result but views in the responses. @throws RuntimeError BACKEND_FAILED */
  split(version: string, rows: readonly SequenceRow[], result: BatchResult): StepResult[] {
    const entries = rows.map((entry) => ({ rows: 1, request: entry?.request ?? NOTHING }));
    const whole = splitBatch(this.#fed, version, {
      entries: entries.map(({ request }) => ({ rows: 1, request: { ...request, outputs: [] } })),
      rows: rows.length,
      result,
    });
    return whole.map((response, row) => ({
      response: { ...response, outputs: this.#visible(response.outputs, entries[row]!.request) },
      state: this.#stateOutputs.map((index) => ownCopy(response.outputs[index]!)),
    }));
  }

  // ---- details below; callers need not read ----

  #step(entry: SequenceEntry): MergedEntry {
    const { request, sequence } = entry;
    const state = entry.isStart ? this.#initialState : (sequence.state ?? this.#initialState);
    const controls = this.#sequence.controls.map((control) => this.#controlOf(control, entry));
    const inputs = [...request.inputs, ...controls, ...state];
    return { rows: 1, request: { ...NOTHING, inputs } };
  }

  #controlOf(control: ControlSpec, entry: SequenceEntry): Tensor {
    if (control.kind === 'CORRID')
      return this.#control(control, sequenceIdBytes(entry.sequence.id, control));
    const { no, yes } = this.#flags.get(control)!;
    if (control.kind === 'START') return entry.isStart ? yes : no;
    if (control.kind === 'END') return entry.isEnd ? yes : no;
    return yes;
  }

  #hole({ request }: MergedEntry): MergedEntry {
    const { controls } = this.#sequence;
    const first = this.#config.inputs.length;
    const inputs = request.inputs.map((tensor, index) => {
      const control = controls[index - first];
      return control && control.kind !== 'CORRID' ? this.#flags.get(control)!.no : zeros(tensor);
    });
    return { rows: 1, request: { ...NOTHING, inputs } };
  }

  #control({ name, dataType }: ControlSpec, data: Uint8Array): Tensor {
    return { name, dataType, shape: this.#config.batched ? [1, 1] : [1], data };
  }

  #visible(
    outputs: readonly Tensor[],
    { outputs: wanted }: { readonly outputs: readonly { readonly name: string }[] },
  ): Tensor[] {
    return outputs
      .slice(0, this.#config.outputs.length)
      .filter(({ name }) => wanted.length === 0 || wanted.some((output) => output.name === name));
  }
}

const NOTHING: MergedEntry['request'] = {
  modelName: '',
  id: '',
  parameters: NO_PARAMETERS,
  inputs: [],
  outputs: [],
};

function numberBytes({ dataType }: BooleanControl, value: number): Uint8Array {
  if (dataType === 'BOOL') return Uint8Array.of(value);
  const list = dataType === 'INT32' ? Int32Array.of(value) : Float32Array.of(value);
  return new Uint8Array(list.buffer);
}

/** Strings of no length each. */
function zeros(tensor: Tensor): Tensor {
  const size = elementCount(tensor.shape) * (elementBytes(tensor.dataType) || 4);
  return { ...tensor, data: new Uint8Array(size) };
}

/** A view would keep the result of the whole batch in memory for as long as the sequence lives. */
function ownCopy(tensor: Tensor): Tensor {
  return { ...tensor, data: tensor.data.slice() };
}
