// Waiting requests of one level, the one that must be executed soonest first, ties by arrival; those without a deadline come
// last. Requests that are tried once more go before all, delayed ones behind.
//
// The list has the order, the array finds places in it. Its elements move when it changes, so each request costs a copy of as many
// words as wait: a max_queue_size keeps that small.

import { lowerBound } from './lower-bound.js';
import type { QueueEntry } from './queue-entry.js';
import { RequestQueue } from './request-queue.js';
import type { WaitingRequests } from './waiting-requests.js';

export class DeadlineQueue implements WaitingRequests {
  readonly #queue = new RequestQueue();
  /** Those of the queue that are neither tried once more nor delayed. */
  readonly #sorted: QueueEntry[] = [];
  #arrivals = 0;

  get size(): number {
    return this.#queue.size;
  }

  get first(): QueueEntry | undefined {
    return this.#queue.first;
  }

  after(entry: QueueEntry): QueueEntry | undefined {
    return this.#queue.after(entry);
  }

  sizeAt(): number {
    return this.#queue.size;
  }

  push(entry: QueueEntry): void {
    entry.arrival = this.#arrivals++;
    const at = this.#placeOf(entry);
    const next = this.#sorted[at];
    if (next) this.#queue.pushBefore(next, entry);
    else this.#queue.push(entry);
    this.#sorted.splice(at, 0, entry);
  }

  pushFront(entry: QueueEntry): void {
    this.#queue.pushFront(entry);
  }

  has(entry: QueueEntry): boolean {
    return this.#queue.has(entry);
  }

  delay(entry: QueueEntry): void {
    this.#forget(entry);
    this.#queue.delay(entry);
  }

  remove(entry: QueueEntry): void {
    this.#forget(entry);
    this.#queue.remove(entry);
  }

  // ---- details below; callers need not read ----

  #forget(entry: QueueEntry): void {
    const at = this.#placeOf(entry);
    if (this.#sorted[at] === entry) this.#sorted.splice(at, 1);
  }

  #placeOf({ waitsUntil, arrival }: QueueEntry): number {
    return lowerBound(
      this.#sorted,
      (other) =>
        other.waitsUntil < waitsUntil ||
        (other.waitsUntil === waitsUntil && other.arrival < arrival),
    );
  }
}
