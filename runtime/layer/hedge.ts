// Asks the same model once more when it takes long, and answers with whichever good answer comes first; the others are given up, and
// cancelled where they have not begun. How long is long, hedge-delay.ts says; how often that may happen, hedge-budget.ts. Requests of
// sequences are asked once. A delay of less than a millisecond may be up to one.

import type { Call } from '../core/call.js';
import { PipelineCounter, type PipelineNode } from '../core/pipeline-node.js';
import { LegFigures, type LegTarget } from '../core/leg.js';
import { isInSequence } from '../core/inference.js';
import type { Servable } from '../core/servable.js';
import { HedgeBudget } from './hedge-budget.js';
import { FixedDelay, QuantileDelay, type HedgeDelay } from './hedge-delay.js';
import { HedgedRequest } from './hedged-request.js';
import type { PolicyLayer, PolicyParts } from './policy-layer.js';

export interface HedgeOptions {
  /** Before another leg is sent, or by which quantile of the latest times. */
  readonly delay: { readonly ms: number } | { readonly quantile: number };
  readonly maxAttempts: number;
  readonly budgetPercent: number;
}

export class Hedge implements PolicyLayer {
  readonly parts: PolicyParts;
  readonly delay: HedgeDelay;
  /** Hedges that were sent, those that answered first, and those for which there was no budget. */
  readonly hedges = new PipelineCounter('hedges');
  readonly wins = new PipelineCounter('hedge_wins');
  readonly #denied = new PipelineCounter('hedges_denied');
  readonly #options: HedgeOptions;
  readonly #budget: HedgeBudget;
  readonly #figures = new LegFigures();

  constructor(options: HedgeOptions, parts: PolicyParts) {
    const { delay, budgetPercent } = options;
    this.#options = options;
    this.parts = parts;
    this.#budget = new HedgeBudget(budgetPercent);
    this.delay = 'ms' in delay ? new FixedDelay(delay.ms) : new QuantileDelay(delay.quantile);
  }

  around(inner: Servable): Servable {
    const { clock, wheel } = this.parts;
    const targets = Array.from({ length: this.#options.maxAttempts }, (_, i): LegTarget => ({
      ...{ servable: inner, figures: this.#figures, clock, wheel },
      name: i === 0 ? 'first' : `hedge ${i}`,
    }));
    return {
      infer: (request, call, reply) => {
        if (isInSequence(request)) {
          inner.infer(request, call, reply);
          return;
        }
        this.#budget.add();
        new HedgedRequest(this, targets, { request, call, reply }).start();
      },
    };
  }

  node(inside: PipelineNode): PipelineNode {
    const { delay, maxAttempts, budgetPercent } = this.#options;
    return {
      kind: 'hedge',
      name: '',
      figures: this.#figures,
      counters: [this.hedges, this.wins, this.#denied],
      settings: {
        delay: 'ms' in delay ? `${delay.ms} ms` : `quantile ${delay.quantile}`,
        max_attempts: String(maxAttempts),
        budget: `${budgetPercent} %`,
      },
      children: [inside],
    };
  }

  /** Whether a hedge may be sent for the call, which is then counted. */
  mayHedge(call: Call): boolean {
    const now = this.parts.clock.now();
    if (call.deadline - now <= this.#figures.neededMs(now)) return false;
    if (!this.#budget.take()) {
      this.#denied.value++;
      return false;
    }
    this.hedges.value++;
    return true;
  }
}
