// How long a batch of the model takes, from those it has executed: an average in which the last ones count most.

/** What a new batch counts. */
const WEIGHT = 0.2;

export class ComputeEstimate {
  #ms: number | undefined;

  /** 0 while nothing is known. */
  get ms(): number {
    return this.#ms ?? 0;
  }

  add(ms: number): void {
    this.#ms = this.#ms === undefined ? ms : this.#ms + (ms - this.#ms) * WEIGHT;
  }
}
