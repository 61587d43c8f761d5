// Sequences of a model whose batches are merged, on instances that keep nothing: what a step leaves is kept beside its sequence, and
// any instance may run the next one.

import type { ModelConfig } from '../config/model-config.js';
import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import type { BatchFeed, BatchRunner } from './batch-runner.js';
import { createSlots } from './create-slots.js';
import { SequenceBatches, type SequenceRow } from './sequence-batch.js';
import type { SequenceBatch, SequenceSlots } from './sequence-slots.js';
import type { StepExecution, StepsResult } from './step-execution.js';

export interface MergedSequencesParts {
  readonly config: ModelConfig;
  /** Decimal text, as responses carry it. */
  readonly version: string;
  readonly runner: BatchRunner;
  /** That the configuration asks for; how many there are just now does not matter. */
  readonly instances: number;
  /** Of each state of the configuration, without the batch dimension. */
  readonly initialState: readonly Tensor[];
}

export function mergedSequences(parts: MergedSequencesParts): {
  readonly slots: SequenceSlots;
  readonly execution: StepExecution;
} {
  const { config, instances, initialState } = parts;
  const batches = new SequenceBatches(config, initialState);
  const sameShape = batches.sameShape.bind(batches);
  const slots = createSlots(config, { instances, sameShape });
  return { slots, execution: new MergedSteps(parts, batches) };
}

// ---- details below; callers need not read ----

class MergedSteps implements StepExecution {
  readonly isRepeatable = true;
  readonly #parts: MergedSequencesParts;
  readonly #batches: SequenceBatches;

  constructor(parts: MergedSequencesParts, batches: SequenceBatches) {
    this.#parts = parts;
    this.#batches = batches;
  }

  async run({ rows }: SequenceBatch): Promise<StepsResult> {
    const { runner, version } = this.#parts;
    const { outputs, ...times } = await runner.run(this.#feed(rows));
    const steps = this.#batches.split(version, rows, { outputs, ...times });
    rows.forEach((entry, row) => {
      if (entry) entry.sequence.state = steps[row]!.state;
    });
    const outcomes = rows.map((entry, row) => entry && steps[row]!.response);
    return { outcomes, rows: rows.length, ...times };
  }

  #feed(rows: readonly SequenceRow[]): BatchFeed {
    try {
      return this.#batches.merge(rows);
    } catch (thrown) {
      // It is too large for one buffer; each for itself may not be.
      const text = `a batch of ${rows.length} requests cannot be built: ${RuntimeError.from(thrown).message}`;
      throw new RuntimeError('BACKEND_FAILED', text);
    }
  }
}
