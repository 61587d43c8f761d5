// The strategy "oldest": candidates up to a number, and dynamic batches of their steps, at most one of each sequence, those that
// have been ready for longest first. Slots have no position, so the instances share all candidates.

import type { ModelConfig } from '../config/model-config.js';
import type { SequenceConfig } from '../config/sequence-config.js';
import { BatchCandidate, decideBatch, type BatchOptions } from './batch-decision.js';
import type {
  SameShape,
  SequenceBatch,
  SequenceDecision,
  SequenceSlots,
} from './sequence-slots.js';
import type { Sequence, SequenceEntry } from './sequence.js';

export class OldestSlots implements SequenceSlots {
  readonly #slotsPerInstance: number;
  readonly #options: BatchOptions;
  readonly #candidate: BatchCandidate<SequenceEntry>;
  /** In the order in which they became ready. */
  readonly #ready = new Set<Sequence>();
  #taken = 0;
  #size: number;

  constructor(
    { batching }: ModelConfig,
    { slotsPerInstance, preferredSizes, maxDelayMs }: SequenceConfig,
    setup: { readonly instances: number; readonly sameShape: SameShape },
  ) {
    const { maxBatchSize } = batching;
    this.#slotsPerInstance = slotsPerInstance;
    this.#size = setup.instances * slotsPerInstance;
    this.#options = { combine: maxBatchSize > 1, maxBatchSize, preferredSizes, maxDelayMs };
    this.#candidate = new BatchCandidate(this.#options, setup.sameShape);
  }

  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  take(): boolean {
    if (this.#taken >= this.#size) return false;
    this.#taken++;
    return true;
  }

  leave(sequence: Sequence): void {
    this.#ready.delete(sequence);
    this.#taken--;
  }

  ready(sequence: Sequence): void {
    this.#ready.add(sequence);
  }

  unready(sequence: Sequence): void {
    this.#ready.delete(sequence);
  }

  decide(nowMs: number): SequenceDecision {
    const entries: SequenceEntry[] = [];
    this.#candidate.reset();
    for (const { waiting } of this.#ready) {
      if (this.#candidate.closed !== undefined) break;
      const entry = waiting[0]!;
      this.#candidate.add(entry);
      if (this.#candidate.count > entries.length) entries.push(entry);
    }
    const oldestAtMs = entries[0]?.call.timings.queuedAt ?? nowMs;
    const decision = decideBatch(this.#candidate, this.#options, { nowMs, oldestAtMs });
    if (decision.kind !== 'dispatch') return decision;
    const { reason, count } = decision;
    return { kind: 'dispatch', reason, rows: entries.slice(0, count) };
  }

  started({ rows }: SequenceBatch): void {
    for (const entry of rows) if (entry) this.#ready.delete(entry.sequence);
  }

  ended(): void {
    // Its sequences are ready again when the scheduler says so.
  }

  resize(instances: number): void {
    this.#size = instances * this.#slotsPerInstance;
  }
}
