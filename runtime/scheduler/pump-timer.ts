// The one timer of a scheduler: it says when to look again, and forgets whatever it was told before.

import type { Clock, Timer } from '../core/clock.js';

export class PumpTimer {
  readonly #clock: Clock;
  readonly #pump: () => void;
  readonly #runDeferred = (): void => {
    this.#isDeferred = false;
    this.#pump();
  };
  #timer: Timer;
  #isArmed = false;
  #isDeferred = false;

  constructor(clock: Clock, pump: () => void) {
    this.#clock = clock;
    this.#pump = pump;
  }

  /** Pumps when the events that are already here have been handled, once however often it is asked. */
  defer(): void {
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#clock.defer(this.#runDeferred);
  }

  /** Finer than timers are, it looks again and again, between the events. */
  arm(atMs: number): void {
    this.disarm();
    const delayMs = atMs - this.#clock.now();
    if (delayMs < 1) {
      this.defer();
      return;
    }
    this.#isArmed = true;
    this.#timer = this.#clock.setTimer(() => {
      this.#isArmed = false;
      this.#pump();
    }, delayMs);
  }

  disarm(): void {
    if (this.#isArmed) this.#clock.clearTimer(this.#timer);
    this.#isArmed = false;
  }
}
