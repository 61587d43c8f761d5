// How many hedges there may be, so that a model that is slow because it is overloaded is not asked twice as often: a bucket of 100 tokens, full
// at the start. A request adds a share of a token, a hedge takes a whole one.

const MOST_TOKENS = 100;

export class HedgeBudget {
  readonly #perRequest: number;
  #tokens = MOST_TOKENS;

  /** Hedges per 100 requests that it allows for long. */
  constructor(percent: number) {
    this.#perRequest = percent / 100;
  }

  get tokens(): number {
    return this.#tokens;
  }

  /** A request came. */
  add(): void {
    this.#tokens = Math.min(this.#tokens + this.#perRequest, MOST_TOKENS);
  }

  /** Whether a hedge may be sent, which is then paid for. */
  take(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
