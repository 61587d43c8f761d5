// Waiting requests of one level, first come first served; behind them those whose queue timeout has passed under the DELAY
// policy. A doubly linked list: leaving from the middle (cancelled, timed out) costs the same as leaving from the front, and
// the size is always exact.

import type { QueueEntry } from './queue-entry.js';
import type { WaitingRequests } from './waiting-requests.js';

export class RequestQueue implements WaitingRequests {
  #head: QueueEntry | undefined;
  #tail: QueueEntry | undefined;
  /** The first of those that are late; new requests go before it. */
  #firstDelayed: QueueEntry | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): QueueEntry | undefined {
    return this.#head;
  }

  after(entry: QueueEntry): QueueEntry | undefined {
    return entry.queueNext;
  }

  sizeAt(): number {
    return this.#size;
  }

  push(entry: QueueEntry): void {
    this.#insertBefore(this.#firstDelayed, entry);
  }

  pushFront(entry: QueueEntry): void {
    this.#insertBefore(this.#head, entry);
  }

  /** `next` must be in this queue, and not be delayed. */
  pushBefore(next: QueueEntry, entry: QueueEntry): void {
    this.#insertBefore(next, entry);
  }

  has(entry: QueueEntry): boolean {
    return entry.queuePrevious !== undefined || this.#head === entry;
  }

  delay(entry: QueueEntry): void {
    this.remove(entry);
    this.#insertBefore(undefined, entry);
    this.#firstDelayed ??= entry;
  }

  remove(entry: QueueEntry): void {
    if (this.#firstDelayed === entry) this.#firstDelayed = entry.queueNext;
    if (entry.queuePrevious) entry.queuePrevious.queueNext = entry.queueNext;
    else this.#head = entry.queueNext;
    if (entry.queueNext) entry.queueNext.queuePrevious = entry.queuePrevious;
    else this.#tail = entry.queuePrevious;
    entry.queueNext = entry.queuePrevious = undefined;
    this.#size--;
  }

  #insertBefore(next: QueueEntry | undefined, entry: QueueEntry): void {
    const previous = next ? next.queuePrevious : this.#tail;
    entry.queueNext = next;
    entry.queuePrevious = previous;
    if (previous) previous.queueNext = entry;
    else this.#head = entry;
    if (next) next.queuePrevious = entry;
    else this.#tail = entry;
    this.#size++;
  }
}
