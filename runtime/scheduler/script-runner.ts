// PORT: what executes batches of a model written in TypeScript, implemented by its instances. Unlike ONNX models, it gets the requests
// of a batch one by one, and may answer or fail each on its own.

import type { Call } from '../core/call.js';
import type { RuntimeError } from '../core/errors.js';
import type { InferenceRequest } from '../core/inference.js';
import type { Tensor } from '../core/tensor.js';
import type { RunnerSlots } from './batch-runner.js';

export interface ScriptBatch {
  readonly entries: readonly ScriptEntry[];
  /** Each answer of a decoupled model to the only request of its batch, before `run` resolves. */
  streamed(outputs: readonly Tensor[]): void;
}

export interface ScriptEntry {
  readonly request: InferenceRequest;
  readonly call: Call;
  readonly rows: number;
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
