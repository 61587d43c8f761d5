// What most legs take, by the latest ones: what has to be kept back for one of them. Worked out anew four times a second at most, as that
// costs some microseconds; what was known last holds while nothing is sent.

import type { LegFigures } from '../core/leg.js';

const REFRESH_MS = 250;

export class ExpectedTime {
  readonly #figures: LegFigures;
  readonly #quantile: number;
  #ms = 0;
  #refreshAt = -Infinity;

  constructor(figures: LegFigures, quantile: number) {
    this.#figures = figures;
    this.#quantile = quantile;
  }

  /** 0: nothing is known yet. */
  ms(now: number): number {
    if (now < this.#refreshAt) return this.#ms;
    const microseconds = this.#figures.latency.quantile(this.#quantile, now);
    if (!Number.isNaN(microseconds)) this.#ms = microseconds / 1000;
    this.#refreshAt = now + REFRESH_MS;
    return this.#ms;
  }
}
