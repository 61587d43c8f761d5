// PORT: what executes batches of a model written in TypeScript, implemented by its instances. Unlike ONNX models, it gets the requests
// of a batch one by one, and may answer or fail each on its own.

import type { Call } from '../core/call.js';
import type { RuntimeError } from '../core/errors.js';
import type { InferenceRequest } from '../core/inference.js';
import type { Tensor } from '../core/tensor.js';
import type { RunnerSlots } from './batch-runner.js';
import type { SequenceId } from './sequence-id.js';

export interface ScriptBatch {
  readonly entries: readonly ScriptEntry[];
  /** Each answer of a decoupled model to the only request of its batch, before `run` resolves. */
  streamed(outputs: readonly Tensor[]): void;
}

export interface ScriptEntry {
  readonly request: InferenceRequest;
  readonly call: Call;
  readonly rows: number;
  /** The step of a sequence that it is. */
  readonly sequence?: ScriptSequence;
}

export interface ScriptSequence {
  readonly id: SequenceId;
  /** Tells it from others that have its id before or after it. */
  readonly serial: number;
  readonly start: boolean;
  readonly end: boolean;
}

export interface ScriptResult {
  /** Of each request, in their order; empty for a decoupled model. */
  readonly answers: readonly (readonly Tensor[] | RuntimeError)[];
  /** As BatchResult. */
  readonly inputMs: number;
  readonly inferMs: number;
  readonly outputMs: number;
}

export interface ScriptRunner extends RunnerSlots {
  /** Only while `idle > 0`. Rejects with a RuntimeError when the batch as a whole has failed. */
  run(batch: ScriptBatch): Promise<ScriptResult>;
}

/** Instances one by one, for sequences, which stay with the one whose code remembers them. */
export interface BoundRunner extends RunnerSlots {
  readonly instances: readonly BoundInstance[];
  /** `listener` is called when an instance has lost all that its code remembered. Set once, by the scheduler. */
  onInstanceLost(listener: (instance: BoundInstance) => void): void;
  /** No sequence is with one that is no longer among the instances; until that is said, it serves those that are. */
  retire(instance: BoundInstance): void;
}

export interface BoundInstance {
  /** Batches that it could start right now. */
  readonly idle: number;
  /** It has lost what its code remembered, and is not there again. */
  readonly isLost: boolean;
  /** As `run` of a ScriptRunner. */
  run(batch: ScriptBatch): Promise<ScriptResult>;
  /** The runner's idle listener is called at the next moment when this one is idle. */
  awaitIdle(): void;
  /** The sequence is over: what has been kept for it may go. */
  forget(serial: number): void;
}
