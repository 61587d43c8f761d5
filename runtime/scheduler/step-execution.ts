// PORT: how the scheduler of sequences has its batches run: merged-steps.ts, or one by one (script-steps.ts).

import type { RuntimeError } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import type { SequenceBatch } from './sequence-slots.js';

export interface StepExecution {
  /** A batch that has failed has changed nothing: each of its steps may be tried again, by itself. */
  readonly isRepeatable: boolean;
  /** Only a batch that the slots have decided upon. Rejects with a RuntimeError when it has failed as a whole. */
  run(batch: SequenceBatch): Promise<StepsResult>;
}

export interface StepsResult {
  /** Of each row of the batch; undefined where it has no step. */
  readonly outcomes: readonly (InferenceResponse | RuntimeError | undefined)[];
  /** Those that have been computed, without a step or with one. */
  readonly rows: number;
  /** As BatchResult. */
  readonly inputMs: number;
  readonly inferMs: number;
  readonly outputMs: number;
}
