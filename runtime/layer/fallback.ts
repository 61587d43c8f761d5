// When a model does not answer, others do, in order; what they answer says how degraded it is. What is worth a fallback, core/failure-kind.ts
// says. A model that must answer by a certain time is given up while there is still time for the first of the others.

import type { Call } from '../core/call.js';
import { NO_DEADLINE, type Deadline } from '../core/deadline.js';
import { LegFigures, type LegTarget } from '../core/leg.js';
import { PipelineCounter, type PipelineNode } from '../core/pipeline-node.js';
import type { Servable } from '../core/servable.js';
import { LastGoodTarget, ModelTarget, type FallbackTarget } from './fallback-target.js';
import { RequestWithFallback, type FallbackPolicy } from './request-with-fallback.js';
import type { PolicyLayer, PolicyParts } from './policy-layer.js';

export class Fallback implements PolicyLayer, FallbackPolicy {
  readonly parts: PolicyParts;
  readonly targets: readonly FallbackTarget[];
  readonly legTargets: readonly (LegTarget | undefined)[];
  readonly keepers: readonly LastGoodTarget[];
  readonly identity: string;
  readonly fallbacks = new PipelineCounter('fallbacks');
  readonly #figures = new LegFigures();

  constructor(targets: readonly FallbackTarget[], parts: PolicyParts) {
    const { clock, wheel, model } = parts;
    this.parts = parts;
    this.targets = targets;
    this.identity = `${model.name}:${model.version}`;
    this.keepers = targets.filter((target) => target instanceof LastGoodTarget);
    this.legTargets = targets.map((target, i) => {
      if (target instanceof LastGoodTarget) return undefined;
      const { servable, figures } = target;
      return { name: `fallback ${i}`, servable, figures, clock, wheel };
    });
  }

  around(inner: Servable): Servable {
    const { clock, wheel } = this.parts;
    const first = { name: 'model', servable: inner, figures: this.#figures, clock, wheel };
    return {
      infer: (request, call, reply) =>
        new RequestWithFallback(this, { request, call, reply }).start(first),
    };
  }

  node(inside: PipelineNode): PipelineNode {
    return {
      kind: 'fallback',
      name: '',
      figures: this.#figures,
      counters: [this.fallbacks],
      children: [inside, ...this.targets.map((target) => target.node())],
    };
  }

  deadlineBefore(next: number, call: Call): Deadline {
    const { deadline } = call;
    const target = this.targets[next];
    if (!target || deadline === NO_DEADLINE) return NO_DEADLINE;
    const now = this.parts.clock.now();
    return deadline - keptBackMs(target, now, call);
  }
}

// ---- details below; callers need not read ----

/** Of the time that is left, while nothing is known of a target. */
const UNKNOWN_SHARE = 0.2;
const MOST_SHARE = 0.5;
/** Timers are about a millisecond late. */
const GRAIN_MS = 2;
/** Of all the time there was, for an answer's way to the caller: by his own clock his deadline is earlier. */
const SHARE_OF_THE_WAY = 0.05;

function keptBackMs(target: FallbackTarget, now: number, { deadline, timings }: Call): number {
  const remainingMs = Math.max(deadline - now, 0);
  const wayMs = Math.max(GRAIN_MS, (deadline - timings.receivedAt) * SHARE_OF_THE_WAY);
  const usual = target instanceof ModelTarget ? target.usualTime.ms(now) : 0;
  const isUnknown = target instanceof ModelTarget && usual === 0;
  const wanted = isUnknown ? remainingMs * UNKNOWN_SHARE : usual + wayMs;
  return Math.min(wanted, remainingMs * MOST_SHARE);
}
