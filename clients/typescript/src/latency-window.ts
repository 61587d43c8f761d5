// The latest latencies of a model and a quantile of them, reckoned anew after every hundred.

const SIZE = 1_000;
const STEP = 100;

export class LatencyWindow {
  readonly #quantile: number;
  readonly #latencies = new Float64Array(SIZE);
  #count = 0;
  #value: number | undefined;

  constructor(quantile: number) {
    this.#quantile = quantile;
  }

  record(ms: number): void {
    this.#latencies[this.#count++ % SIZE] = ms;
    if (this.#count % STEP !== 0) return;
    const sorted = this.#latencies.slice(0, Math.min(this.#count, SIZE)).sort();
    this.#value = sorted[Math.floor(sorted.length * this.#quantile)];
  }

  /** undefined before there are enough. */
  get value(): number | undefined {
    return this.#value;
  }
}
