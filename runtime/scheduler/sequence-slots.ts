// Where sequences have their slots, and which of their steps run together; one implementation for each strategy of the
// configuration. It knows neither requests' fates nor instances: the scheduler acts.

import type { CloseReason } from '../core/model-statistics.js';
import type { SequenceRow } from './sequence-batch.js';
import type { Sequence, SequenceEntry } from './sequence.js';

/** A batch that may start: the first waiting requests of its sequences. */
export interface SequenceBatch {
  readonly kind: 'dispatch';
  readonly rows: readonly SequenceRow[];
  readonly reason: CloseReason;
}

export type SequenceDecision =
  SequenceBatch | { readonly kind: 'wait'; readonly untilMs: number } | { readonly kind: 'idle' };

export type SameShape = (a: SequenceEntry, b: SequenceEntry) => boolean;

export interface SequenceSlots {
  /** Some sequence is ready. */
  readonly hasReady: boolean;
  /** False: no slot is free. */
  take(sequence: Sequence): boolean;
  /** The slot of a sequence is free again. */
  leave(sequence: Sequence): void;
  /** Its first waiting request may run; saying so twice is saying it once. */
  ready(sequence: Sequence): void;
  /** No request of it waits any more. */
  unready(sequence: Sequence): void;
  decide(nowMs: number): SequenceDecision;
  /** What was decided has started: its sequences are not ready. */
  started(batch: SequenceBatch): void;
  ended(batch: SequenceBatch): void;
  /** There are that many instances from now on; sequences that have a slot keep it. */
  resize(instances: number): void;
  /** `listener` is told of sequences whose instance has lost what it remembered of them; absent where it remembers nothing. */
  onLost?(listener: (sequences: readonly Sequence[]) => void): void;
}
