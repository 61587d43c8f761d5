// A request has that long for all that it takes: its waiting, its fallbacks, its attempts. What it asked is cancelled then.

import type { Call } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import type { RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse } from '../core/inference.js';
import { Leg, LegFigures, type LegTarget } from '../core/leg.js';
import type { PipelineNode } from '../core/pipeline-node.js';
import type { Reply, Servable } from '../core/servable.js';
import { rowsOf, type PolicyLayer, type PolicyParts } from './policy-layer.js';

export class Timeout implements PolicyLayer {
  readonly #timeoutMs: number;
  readonly #parts: PolicyParts;
  readonly #figures = new LegFigures();

  constructor(timeoutMs: number, parts: PolicyParts) {
    this.#timeoutMs = timeoutMs;
    this.#parts = parts;
  }

  around(inner: Servable): Servable {
    const { clock, wheel, model } = this.#parts;
    const target: LegTarget = {
      name: 'timeout',
      servable: inner,
      figures: this.#figures,
      clock,
      wheel,
    };
    return new TimedServable(target, this.#timeoutMs, model);
  }

  node(inside: PipelineNode): PipelineNode {
    return {
      kind: 'timeout',
      name: '',
      figures: this.#figures,
      settings: { timeout: `${this.#timeoutMs} ms` },
      children: [inside],
    };
  }
}

// ---- details below; callers need not read ----

class TimedServable implements Servable {
  readonly #target: LegTarget;
  readonly #timeoutMs: number;
  readonly #model: PolicyParts['model'];
  readonly #clock: Clock;

  constructor(target: LegTarget, timeoutMs: number, model: PolicyParts['model']) {
    this.#target = target;
    this.#timeoutMs = timeoutMs;
    this.#model = model;
    this.#clock = target.clock;
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    const timed = new TimedReply(call, reply);
    const deadline = this.#clock.now() + this.#timeoutMs;
    timed.leg = new Leg(this.#target, timed, { parent: call, deadline });
    timed.leg.send(request, rowsOf(request, this.#model));
  }
}

class TimedReply implements Reply {
  leg: Leg | undefined;
  readonly #call: Call;
  readonly #reply: Reply;

  constructor(call: Call, reply: Reply) {
    this.#call = call;
    this.#reply = reply;
  }

  response(response: InferenceResponse): void {
    this.#take();
    this.#reply.response(response);
  }

  end(error?: RuntimeError): void {
    this.#take();
    this.#reply.end(error);
  }

  #take(): void {
    if (this.leg) this.#call.timings.take(this.leg.call.timings);
  }
}
