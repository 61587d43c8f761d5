// Waiting requests by priority level: all of a level come before those of the levels below it, however long these have waited.
// Only levels somebody waits at are kept, since a configuration may name any number of them.

import { lowerBound } from './lower-bound.js';
import type { QueueEntry } from './queue-entry.js';
import type { WaitingRequests } from './waiting-requests.js';

interface Level {
  readonly number: number;
  readonly queue: WaitingRequests;
}

export class PriorityQueue implements WaitingRequests {
  readonly #createLevel: () => WaitingRequests;
  /** None of them empty; level 1, the highest, first. */
  readonly #levels: Level[] = [];
  #size = 0;

  constructor(createLevel: () => WaitingRequests) {
    this.#createLevel = createLevel;
  }

  get size(): number {
    return this.#size;
  }

  get first(): QueueEntry | undefined {
    return this.#levels[0]?.queue.first;
  }

  after(entry: QueueEntry): QueueEntry | undefined {
    const at = this.#placeOf(entry.level);
    return this.#levels[at]!.queue.after(entry) ?? this.#levels[at + 1]?.queue.first;
  }

  sizeAt(level: number): number {
    return this.#queueAt(level)?.size ?? 0;
  }

  push(entry: QueueEntry): void {
    this.#queueFor(entry.level).push(entry);
    this.#size++;
  }

  pushFront(entry: QueueEntry): void {
    this.#queueFor(entry.level).pushFront(entry);
    this.#size++;
  }

  has(entry: QueueEntry): boolean {
    return this.#queueAt(entry.level)?.has(entry) ?? false;
  }

  delay(entry: QueueEntry): void {
    this.#queueAt(entry.level)!.delay(entry);
  }

  remove(entry: QueueEntry): void {
    const at = this.#placeOf(entry.level);
    const { queue } = this.#levels[at]!;
    queue.remove(entry);
    if (queue.size === 0) this.#levels.splice(at, 1);
    this.#size--;
  }

  // ---- details below; callers need not read ----

  #queueAt(level: number): WaitingRequests | undefined {
    const found = this.#levels[this.#placeOf(level)];
    return found?.number === level ? found.queue : undefined;
  }

  #queueFor(level: number): WaitingRequests {
    const there = this.#queueAt(level);
    if (there) return there;
    const queue = this.#createLevel();
    this.#levels.splice(this.#placeOf(level), 0, { number: level, queue });
    return queue;
  }

  #placeOf(level: number): number {
    return lowerBound(this.#levels, ({ number }) => number < level);
  }
}
