// At most so many requests at a time. Who finds no permit is turned away at once: waiting is what queues are for.

import { RuntimeError } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import { PipelineCounter, type PipelineNode } from '../core/pipeline-node.js';
import type { Reply, Servable } from '../core/servable.js';
import type { PolicyLayer, PolicyParts } from './policy-layer.js';

export class ConcurrencyLimit implements PolicyLayer {
  readonly #limit: number;
  readonly #modelName: string;
  readonly #turnedAway = new PipelineCounter('turned_away');
  #underWay = 0;

  constructor(limit: number, { model }: PolicyParts) {
    this.#limit = limit;
    this.#modelName = model.name;
  }

  around(inner: Servable): Servable {
    return {
      infer: (request, call, reply) => {
        if (this.#mayPass(reply)) inner.infer(request, call, new PermittedReply(this, reply));
      },
    };
  }

  node(inside: PipelineNode): PipelineNode {
    return {
      kind: 'concurrency-limit',
      name: '',
      counters: [this.#turnedAway],
      settings: { max_concurrency: String(this.#limit) },
      children: [inside],
    };
  }

  /** Requests under way. */
  get underWay(): number {
    return this.#underWay;
  }

  /** @internal */
  left(): void {
    this.#underWay--;
  }

  // ---- details below; callers need not read ----

  #mayPass(reply: Reply): boolean {
    if (this.#underWay < this.#limit) {
      this.#underWay++;
      return true;
    }
    this.#turnedAway.value++;
    const text = `model '${this.#modelName}' has as many requests under way as it may have: ${this.#limit}`;
    reply.end(new RuntimeError('TOO_MANY_REQUESTS', text));
    return false;
  }
}

class PermittedReply implements Reply {
  readonly #limit: ConcurrencyLimit;
  readonly #reply: Reply;

  constructor(limit: ConcurrencyLimit, reply: Reply) {
    this.#limit = limit;
    this.#reply = reply;
  }

  response(response: InferenceResponse): void {
    this.#reply.response(response);
  }

  end(error?: RuntimeError): void {
    this.#limit.left();
    this.#reply.end(error);
  }
}
