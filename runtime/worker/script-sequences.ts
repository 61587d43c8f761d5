// What a model keeps of each of its sequences, from the first step to the word that the sequence is over.

import type { ModelSequence } from './model-api.js';
import type { SequenceStep } from './script-protocol.js';

export class ScriptSequences {
  readonly #kept = new Map<number, Kept>();

  get size(): number {
    return this.#kept.size;
  }

  /** A first step finds nothing, whatever was before it. */
  step(step: SequenceStep): ModelSequence {
    let kept = step.start ? undefined : this.#kept.get(step.serial);
    if (!kept) this.#kept.set(step.serial, (kept = { state: undefined }));
    return new ReceivedStep(step, kept);
  }

  forget(serial: number): void {
    this.#kept.delete(serial);
  }
}

// ---- details below; callers need not read ----

interface Kept {
  state: unknown;
}

class ReceivedStep implements ModelSequence {
  readonly id: number | bigint | string;
  readonly start: boolean;
  readonly end: boolean;
  /** Code that goes on after its sequence is over changes this, and nothing that lasts. */
  readonly #kept: Kept;

  constructor({ id, start, end }: SequenceStep, kept: Kept) {
    this.id = id;
    this.start = start;
    this.end = end;
    this.#kept = kept;
  }

  get state(): unknown {
    return this.#kept.state;
  }

  set state(state: unknown) {
    this.#kept.state = state;
  }
}
