// The sequences that there are: which id leads to which, which have a slot, which wait for one, which have been idle for too long.
// Invariant: a sequence with nothing waiting, nothing running and no answer kept back is either open, and on the timer wheel, or gone.

import type { Clock } from '../core/clock.js';
import type { SequenceCounts } from '../core/model-statistics.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import type { SequenceId } from './sequence-id.js';
import type { SequenceSlots } from './sequence-slots.js';
import { Sequence, type SequenceOwner } from './sequence.js';

export interface SequenceTableParts {
  readonly slots: SequenceSlots;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly idleMs: number;
  /** Kept up to date. */
  readonly counts: SequenceCounts;
}

export class SequenceTable {
  readonly #owner: SequenceOwner;
  readonly #parts: SequenceTableParts;
  readonly #open = new Map<SequenceId, Sequence>();
  readonly #all = new Set<Sequence>();
  /** In the order in which they began. */
  readonly #backlog = new Set<Sequence>();
  #begun = 0;

  constructor(owner: SequenceOwner, parts: SequenceTableParts) {
    this.#owner = owner;
    this.#parts = parts;
  }

  /** Those that have ended and still run included. */
  get all(): readonly Sequence[] {
    return [...this.#all];
  }

  get size(): number {
    return this.#all.size;
  }

  /** The sequence that the next request with this id belongs to. */
  find(id: SequenceId): Sequence | undefined {
    return this.#open.get(id);
  }

  /** A new one, in a slot or, when none is free, at the end of the backlog. To be settled once it has its request. */
  begin(id: SequenceId): Sequence {
    const sequence = new Sequence(this.#owner, id, this.#begun++);
    this.#open.set(id, sequence);
    this.#all.add(sequence);
    if (this.#parts.slots.take(sequence)) sequence.place = 'slot';
    else this.#backlog.add(sequence);
    this.#parts.counts[sequence.place as 'slot' | 'backlog']++;
    return sequence;
  }

  /** In the backlog a sequence waits no longer than the most impatient of its requests. */
  limitWaiting(sequence: Sequence, atMs: number): void {
    if (sequence.place !== 'backlog' || atMs >= sequence.expiresAt) return;
    sequence.expiresAt = atMs;
    this.#parts.wheel.schedule(sequence, atMs);
  }

  /** No further request will join it. To be settled. */
  end(sequence: Sequence): void {
    sequence.isOpen = false;
    if (this.#open.get(sequence.id) === sequence) this.#open.delete(sequence.id);
  }

  /** After whatever has changed about a sequence: it is ready, or busy, or idle, or gone. */
  settle(sequence: Sequence): void {
    if (sequence.place === 'gone' || sequence.running) return;
    const { slots, wheel, clock, idleMs } = this.#parts;
    const isWaiting = sequence.waiting.length > 0;
    if (sequence.place === 'backlog') {
      if (!isWaiting) this.#forget(sequence);
    } else if (isWaiting) {
      wheel.cancel(sequence);
      slots.ready(sequence);
    } else if (sequence.isOpen) {
      slots.unready(sequence);
      if (sequence.unanswered === 0) wheel.schedule(sequence, clock.now() + idleMs);
    } else this.#forget(sequence);
  }

  /** Sequences of the backlog take the slots that are free. */
  refill(): void {
    const { slots, wheel, counts } = this.#parts;
    for (const sequence of this.#backlog) {
      if (!slots.take(sequence)) return;
      this.#backlog.delete(sequence);
      sequence.place = 'slot';
      counts.backlog--;
      counts.slot++;
      wheel.cancel(sequence);
      this.settle(sequence);
    }
  }

  // ---- details below; callers need not read ----

  #forget(sequence: Sequence): void {
    const { place } = sequence;
    if (place === 'gone') return;
    const { counts, wheel } = this.#parts;
    sequence.place = 'gone';
    sequence.state = undefined;
    wheel.cancel(sequence);
    this.#all.delete(sequence);
    counts[place]--;
    if (place === 'backlog') {
      this.#backlog.delete(sequence);
      return;
    }
    this.#parts.slots.leave(sequence);
    this.refill();
  }
}
