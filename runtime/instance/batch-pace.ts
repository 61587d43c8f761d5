// How long the batches of an instance take, for placement: those that share a thread wait for each other, so long ones and
// short ones must not. The first batch of a session is left out, because it does what is done once.

/** 'unknown': not measured often enough. */
export type Pace = 'unknown' | 'short' | 'long';

/** Batches from here on are long, in milliseconds. */
const LONG_MS = 5;
/** Below this a long one is short again; apart from LONG_MS, so that an instance near it does not go to and fro. */
const SHORT_MS = 2.5;
/** Measurements before the pace is known. */
const RUNS = 2;
/** Weight of the newest measurement in the moving average. */
const WEIGHT = 0.2;

export class BatchPace {
  #runs = 0;
  #isFirst = true;
  #averageMs = 0;
  #pace: Pace = 'unknown';

  get pace(): Pace {
    return this.#pace;
  }

  /** The next batch is the first one of a session. */
  newSession(): void {
    this.#isFirst = true;
  }

  /** Returns whether the pace has changed. */
  add(ms: number): boolean {
    if (this.#isFirst) {
      this.#isFirst = false;
      return false;
    }
    this.#runs++;
    this.#averageMs = this.#runs === 1 ? ms : this.#averageMs + WEIGHT * (ms - this.#averageMs);
    if (this.#runs < RUNS) return false;
    const before = this.#pace;
    this.#pace = this.#averageMs >= (before === 'long' ? SHORT_MS : LONG_MS) ? 'long' : 'short';
    return this.#pace !== before;
  }
}
