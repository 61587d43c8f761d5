// How long the batches of an instance take, for placement: those that share a thread wait for each other, so long ones and
// short ones must not. The first batch of a session is left out, because it does what is done once.

/** 'unknown': not measured often enough. */
export type Pace = 'unknown' | 'short' | 'long';

/** Batches from here on are long, in milliseconds. */
const LONG_MS = 5;
/** Below this a long one is short again; apart from LONG_MS, so that an instance near it does not go to and fro. */
const SHORT_MS = 2.5;
/** Runs before the pace is known. */
const RUNS = 3;
/** Weight of the newest measurement in the moving average. */
const WEIGHT = 0.2;

export class BatchPace {
  #runs = 0;
  #averageMs = 0;
  #pace: Pace = 'unknown';

  get pace(): Pace {
    return this.#pace;
  }

  /** Returns whether the pace has changed. */
  add(ms: number): boolean {
    this.#runs++;
    if (this.#runs === 1) return false;
    this.#averageMs = this.#runs === 2 ? ms : this.#averageMs + WEIGHT * (ms - this.#averageMs);
    if (this.#runs < RUNS) return false;
    const before = this.#pace;
    this.#pace = this.#averageMs >= (before === 'long' ? SHORT_MS : LONG_MS) ? 'long' : 'short';
    return this.#pace !== before;
  }
}
