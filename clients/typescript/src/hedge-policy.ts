// When a second request may go: after a fixed time, or after a quantile of the model's latency; and within the budget.

import { Budget } from './budget.js';
import type { HedgeSettings } from './client-options.js';
import { LatencyWindow } from './latency-window.js';

export class HedgePolicy {
  readonly #settings: HedgeSettings;
  readonly #windows = new Map<string, LatencyWindow>();
  readonly budget: Budget;

  constructor(settings: HedgeSettings) {
    this.#settings = settings;
    this.budget = new Budget(settings.budgetPercent);
  }

  /** undefined: too little is known of the model yet. */
  delayMs(model: string): number | undefined {
    return this.#settings.delayMs ?? this.#windows.get(model)?.value;
  }

  /** The latency of a first request; one that lost against its hedge counts with the time it had. */
  record(model: string, ms: number): void {
    const { quantile } = this.#settings;
    if (quantile === undefined) return;
    let window = this.#windows.get(model);
    if (!window) this.#windows.set(model, (window = new LatencyWindow(quantile)));
    window.record(ms);
  }
}
