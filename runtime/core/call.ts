// One call in progress: when it must be done, whether anybody still waits for it, and when it passed which point of the road.
// Made once at the door and handed on unchanged; pipelines make a child for each leg.

import { NO_DEADLINE, earliest, type Deadline } from './deadline.js';

/** Points in time on the clock's scale in ms; 0: not reached. Durations measured in a thread are durations. */
export class Timings {
  receivedAt = 0;
  queuedAt = 0;
  dispatchedAt = 0;
  completedAt = 0;
  /** Rows of the batch the request was executed in. */
  batchSize = 0;
  /** Answered from the response cache: by no batch, and waited for by nobody. */
  cached = false;
  inputMs = 0;
  inferMs = 0;
  outputMs = 0;
}

/** An object and not a function, so that waiting for a cancellation costs no closure per request. */
export interface CancelListener {
  callCancelled(): void;
}

export class Call implements CancelListener {
  readonly deadline: Deadline;
  readonly timings = new Timings();
  #cancelled = false;
  #listeners: CancelListener[] | undefined;

  constructor(receivedAt: number, deadline: Deadline = NO_DEADLINE) {
    this.deadline = deadline;
    this.timings.receivedAt = receivedAt;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Nobody waits for the answer any more. Listeners run once, in the order in which they came. */
  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners) for (const listener of listeners) listener.callCancelled();
  }

  /** Tells `listener` when the call is cancelled, at once if it already is. A listener that no longer cares ignores it. */
  onCancel(listener: CancelListener): void {
    if (this.#cancelled) listener.callCancelled();
    else (this.#listeners ??= []).push(listener);
  }

  /** A child is cancelled with its parent. */
  callCancelled(): void {
    this.cancel();
  }

  /** A call for one leg: cancelled with this one, or alone; due no later than this one. */
  child(receivedAt: number, deadline: Deadline = NO_DEADLINE): Call {
    const child = new Call(receivedAt, earliest(this.deadline, deadline));
    this.onCancel(child);
    return child;
  }
}
