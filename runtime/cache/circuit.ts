// Whether it is worth asking somebody who may be gone. After `failuresToOpen` failures in a row he is left alone for `pauseMs` at a
// time; then one question is let through, and its answer ends the pause for all.

export interface CircuitOptions {
  readonly failuresToOpen: number;
  readonly pauseMs: number;
}

export class Circuit {
  readonly #options: CircuitOptions;
  #failures = 0;
  #pausedUntil = -Infinity;

  constructor(options: CircuitOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#failures >= this.#options.failuresToOpen;
  }

  /** Ask if true; while the circuit is open, that is the one question of its pause. */
  mayAsk(now: number): boolean {
    if (!this.isOpen) return true;
    if (now < this.#pausedUntil) return false;
    this.#pausedUntil = now + this.#options.pauseMs;
    return true;
  }

  /** True when this ended a pause. */
  succeeded(): boolean {
    const wasOpen = this.isOpen;
    this.#failures = 0;
    return wasOpen;
  }

  /** True when this began one. */
  failed(now: number): boolean {
    if (++this.#failures !== this.#options.failuresToOpen) return false;
    this.#pausedUntil = now + this.#options.pauseMs;
    return true;
  }
}
