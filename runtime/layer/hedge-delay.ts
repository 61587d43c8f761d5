// How long the first leg has before another is sent: always the same, or so long that only a share of requests takes longer.

import { LatencyDigest } from '../core/latency-digest.js';

export interface HedgeDelay {
  /** Undefined: that is not known yet. */
  readonly ms: number | undefined;
  /** What a first leg took, or how long it had been waited for when another one answered. */
  add(ms: number, now: number): void;
}

export class FixedDelay implements HedgeDelay {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }

  add(): void {
    // It is as long whatever they take.
  }
}

/** New values before the delay is worked out, for the first time and again. */
const SAMPLES = 100;

/**
 * The quantile of the last 30 to 60 seconds, worked out with every hundredth value: until then, and after a time of idleness, the last one holds.
 */
export class QuantileDelay implements HedgeDelay {
  readonly #fraction: number;
  readonly #digest = new LatencyDigest();
  #samples = 0;
  #ms: number | undefined;

  /** `fraction` between 0 and 1. */
  constructor(fraction: number) {
    this.#fraction = fraction;
  }

  get ms(): number | undefined {
    return this.#ms;
  }

  add(ms: number, now: number): void {
    this.#digest.add(ms * 1000, now);
    if (++this.#samples < SAMPLES) return;
    this.#samples = 0;
    this.#ms = this.#digest.quantile(this.#fraction, now) / 1000;
  }
}
