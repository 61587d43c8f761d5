// PORT: the requests that wait for an instance, in the order in which they will be executed. One level that is served first come
// first served (request-queue.ts) or by deadline (deadline-queue.ts), or several of them by priority (priority-queue.ts).

import type { QueueEntry } from './queue-entry.js';

export interface WaitingRequests {
  readonly size: number;
  /** Who is next. */
  readonly first: QueueEntry | undefined;
  /** Who comes after `entry`, which must be here. */
  after(entry: QueueEntry): QueueEntry | undefined;
  /** How many of this priority level wait, delayed ones included. */
  sizeAt(level: number): number;
  /** Behind those of its level that it does not overtake, before those that are delayed. */
  push(entry: QueueEntry): void;
  /** Before all others of its level. */
  pushFront(entry: QueueEntry): void;
  has(entry: QueueEntry): boolean;
  /** `entry` must be here; it goes behind everybody else of its level, and those to come. */
  delay(entry: QueueEntry): void;
  /** `entry` must be here. */
  remove(entry: QueueEntry): void;
}
