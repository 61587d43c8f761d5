// One request that may be asked for more than once at a time: its legs, of which the first that is answered well ends the others.

import type { Call } from '../core/call.js';
import { firstError, type RuntimeError } from '../core/errors.js';
import { isReplaceable } from '../core/failure-kind.js';
import type { InferenceRequest, InferenceResponse } from '../core/inference.js';
import { Leg, type LegTarget } from '../core/leg.js';
import type { Reply } from '../core/servable.js';
import { TimerNode } from '../core/timer-wheel.js';
import type { HedgeDelay } from './hedge-delay.js';
import { rowsOf, type PolicyParts } from './policy-layer.js';

/** What a request asks of the hedge policy of its model. */
export interface HedgePolicy {
  readonly parts: PolicyParts;
  readonly delay: HedgeDelay;
  readonly wins: { value: number };
  mayHedge(call: Call): boolean;
}

export class HedgedRequest extends TimerNode {
  readonly #policy: HedgePolicy;
  readonly #targets: readonly LegTarget[];
  readonly #request: InferenceRequest;
  readonly #call: Call;
  readonly #reply: Reply;
  readonly #legs: HedgeLeg[] = [];
  readonly #errors: RuntimeError[] = [];
  #isEnded = false;

  /** At most as many legs as `targets`. */
  constructor(
    policy: HedgePolicy,
    targets: readonly LegTarget[],
    asked: { readonly request: InferenceRequest; readonly call: Call; readonly reply: Reply },
  ) {
    super();
    this.#policy = policy;
    this.#targets = targets;
    this.#request = asked.request;
    this.#call = asked.call;
    this.#reply = asked.reply;
    this.#call.tried ??= [];
  }

  start(): void {
    this.#send();
    this.#awaitDelay();
  }

  /** The answer has taken long. */
  onDue(): void {
    if (this.#isEnded || !this.#policy.mayHedge(this.#call)) return;
    if (this.#call.effort) this.#call.effort.hedged = true;
    this.#send();
    this.#awaitDelay();
  }

  /** @internal */
  answered(leg: HedgeLeg, response: InferenceResponse | undefined): void {
    this.#end();
    this.#call.timings.take(leg.timings);
    if (leg !== this.#legs[0]) this.#policy.wins.value++;
    if (response) this.#reply.response(response);
    this.#reply.end();
  }

  /** @internal One that failed leaves the answer to the others, unless these would fail alike. */
  failed(leg: HedgeLeg, error: RuntimeError): void {
    this.#errors.push(error);
    const isLast = this.#errors.length === this.#legs.length;
    if (!isLast && isReplaceable(error, this.#call)) return;
    this.#end();
    this.#call.timings.take(leg.timings);
    this.#reply.end(firstError(this.#errors as [RuntimeError]));
  }

  // ---- details below; callers need not read ----

  #send(): void {
    const target = this.#targets[this.#legs.length]!;
    const leg = new HedgeLeg(this, target, this.#call);
    this.#legs.push(leg);
    leg.send(this.#request, rowsOf(this.#request, this.#policy.parts.model));
  }

  #awaitDelay(): void {
    const { clock, wheel } = this.#policy.parts;
    const { ms } = this.#policy.delay;
    if (this.#isEnded || ms === undefined || this.#legs.length === this.#targets.length) return;
    wheel.schedule(this, clock.now() + ms);
  }

  #end(): void {
    this.#isEnded = true;
    const { clock, wheel } = this.#policy.parts;
    wheel.cancel(this);
    const [first] = this.#legs;
    const now = clock.now();
    if (first && !first.hasFailed) this.#policy.delay.add(now - first.timings.receivedAt, now);
    for (const leg of this.#legs) leg.abandon();
  }
}

class HedgeLeg implements Reply {
  readonly #owner: HedgedRequest;
  readonly #leg: Leg;
  #response: InferenceResponse | undefined;

  constructor(owner: HedgedRequest, target: LegTarget, parent: Call) {
    this.#owner = owner;
    this.#leg = new Leg(target, this, { parent });
  }

  get timings(): Leg['call']['timings'] {
    return this.#leg.call.timings;
  }

  get hasFailed(): boolean {
    return this.#leg.error !== undefined;
  }

  send(request: InferenceRequest, rows: number): void {
    this.#leg.send(request, rows);
  }

  abandon(): void {
    this.#leg.abandon();
  }

  response(response: InferenceResponse): void {
    this.#response = response;
  }

  end(error?: RuntimeError): void {
    if (error) this.#owner.failed(this, error);
    else this.#owner.answered(this, this.#response);
  }
}
