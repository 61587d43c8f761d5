// Steps of sequences -> one feed, and one result -> their responses and the states they leave. A row without a request (a slot of
// a positional batch in which nothing is to be done) is zeros, READY false, and what comes out of it is thrown away.

import type { ModelConfig } from '../config/model-config.js';
import { elementBytes } from '../core/data-type.js';
import { bug } from '../core/errors.js';
import { NO_PARAMETERS, type InferenceResponse } from '../core/inference.js';
import { elementCount, sameRowShape, type Tensor } from '../core/tensor.js';
import { sameInputsTest } from './batch.js';
import { batchFormOf, type BatchForm } from './batch-form.js';
import type { BatchFeed, BatchResult } from './batch-runner.js';
import type { MergedEntry } from './output-cut.js';
import { SequenceControls } from './sequence-controls.js';
import { fedConfig } from './sequence-feed.js';
import { StateCutter } from './state-cutter.js';
import type { SequenceEntry } from './sequence.js';

/** undefined: a row without a request. */
export type SequenceRow = SequenceEntry | undefined;

export interface StepResult {
  readonly response: InferenceResponse;
  readonly state: readonly Tensor[];
}

export class SequenceBatches {
  readonly #config: ModelConfig;
  readonly #initialState: readonly Tensor[];
  readonly #controls: SequenceControls;
  readonly #sameInputs: ReturnType<typeof sameInputsTest>;
  readonly #hasOpenStates: boolean;
  /** What the model gets. */
  readonly #fed: BatchForm;
  /** What users get. */
  readonly #seen: BatchForm;
  readonly #states: StateCutter;

  /** `initialState`: a tensor for each state of the configuration, without the batch dimension. */
  constructor(config: ModelConfig, initialState: readonly Tensor[]) {
    if (!config.sequence) throw bug(`model '${config.name}' has no sequences`);
    const fed = fedConfig(config);
    this.#config = config;
    this.#fed = batchFormOf(fed);
    this.#seen = batchFormOf(config);
    this.#sameInputs = sameInputsTest(config);
    this.#hasOpenStates = config.sequence.states.some(({ dims }) => dims.includes(-1));
    this.#initialState = initialState.map((tensor) => ({
      ...tensor,
      shape: config.batched ? [1, ...tensor.shape] : tensor.shape,
    }));
    this.#states = new StateCutter(config, fed);
    this.#controls = new SequenceControls(config);
  }

  /** Whether two steps may share a batch: their inputs and their states have the same shapes, or ragged ones. */
  sameShape(a: SequenceEntry, b: SequenceEntry): boolean {
    if (!this.#sameInputs(a.request, b.request)) return false;
    if (!this.#hasOpenStates) return true;
    const other = this.#stateOf(b);
    return this.#stateOf(a).every(({ shape }, index) => sameRowShape(shape, other[index]!.shape));
  }

  merge(rows: readonly SequenceRow[]): BatchFeed {
    const steps = rows.map((entry) => entry && this.#step(entry));
    const pattern = steps.find((step) => step !== undefined);
    if (!pattern) throw bug('a batch of sequences has no request');
    return this.#fed.merge(steps.map((step) => step ?? this.#hole(pattern)));
  }

  /** In the order of `rows`; nothing is kept of the result but views in the responses. @throws RuntimeError BACKEND_FAILED */
  split(version: string, rows: readonly SequenceRow[], result: BatchResult): StepResult[] {
    const pattern = rows.find((entry) => entry !== undefined);
    if (!pattern) throw bug('a batch of sequences had no request');
    // A row without a request had the shapes of another one.
    const entries = rows.map((entry) => ({ rows: 1, request: (entry ?? pattern).request }));
    const responses = this.#seen.split(version, { entries, rows: rows.length, result });
    const states = this.#states.cut(entries, result);
    return responses.map((response, row) => ({ response, state: states[row]! }));
  }

  // ---- details below; callers need not read ----

  #step(entry: SequenceEntry): MergedEntry {
    const inputs = [...entry.request.inputs, ...this.#controls.of(entry), ...this.#stateOf(entry)];
    return { rows: 1, request: { ...NOTHING, inputs } };
  }

  /** Before the step. */
  #stateOf({ isStart, sequence }: SequenceEntry): readonly Tensor[] {
    return isStart ? this.#initialState : (sequence.state ?? this.#initialState);
  }

  #hole({ request }: MergedEntry): MergedEntry {
    const first = this.#config.inputs.length;
    const inputs = request.inputs.map(
      (tensor, index) => this.#controls.ofNothing(index - first) ?? zeros(tensor),
    );
    return { rows: 1, request: { ...NOTHING, inputs } };
  }
}

const NOTHING: MergedEntry['request'] = {
  modelName: '',
  id: '',
  parameters: NO_PARAMETERS,
  inputs: [],
  outputs: [],
};

/** Strings of no length each. */
function zeros(tensor: Tensor): Tensor {
  const size = elementCount(tensor.shape) * (elementBytes(tensor.dataType) || 4);
  return { ...tensor, data: new Uint8Array(size) };
}
