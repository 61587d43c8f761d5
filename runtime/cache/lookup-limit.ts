// How long lookups may take, all on one timer: their limit is the same, so the oldest is always due first. The timer is armed once
// for all lookups of its time and not for each, and runs out by itself when they have been answered.
//
// A lookup ends up to a millisecond (the grain of timers) before its limit rather than after it. And it ends only when what has
// arrived already has been read: if it was this process that had no time, the answer is there and counts.

import type { Clock } from '../core/clock.js';

export interface LimitedLookup {
  /** On the clock's scale. */
  readonly dueAt: number;
  /** There is no answer in time. It has left the limit before. */
  timedOut(): void;
}

/** Timers are no finer. */
const GRAIN_MS = 1;

export class LookupLimit {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #lookups = new Set<LimitedLookup>();
  readonly #onTimer = (): void => this.#clock.defer(this.#expire);
  readonly #expire = (): void => this.#expireDue();
  #isArmed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Due no earlier than those before it. */
  add(lookup: LimitedLookup): void {
    this.#lookups.add(lookup);
    this.#arm(lookup);
  }

  /** False: its time is over. */
  remove(lookup: LimitedLookup): boolean {
    return this.#lookups.delete(lookup);
  }

  // ---- details below; callers need not read ----

  #arm({ dueAt }: LimitedLookup): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#clock.setTimer(this.#onTimer, Math.max(dueAt - this.#clock.now(), GRAIN_MS));
  }

  #expireDue(): void {
    this.#isArmed = false;
    const now = this.#clock.now();
    for (const lookup of this.#lookups) {
      if (lookup.dueAt >= now + GRAIN_MS) {
        this.#arm(lookup);
        return;
      }
      this.#lookups.delete(lookup);
      lookup.timedOut();
    }
  }
}
