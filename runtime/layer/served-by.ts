// Tells callers who answered and what that took: the parameters served_by, attempts, hedged and degradation_level of the responses of a
// model with a `resilience` block. The outermost of its layers; the innermost counts how often the model itself was asked.

import { Effort, type Call } from '../core/call.js';
import type { RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse, ResponseParameter } from '../core/inference.js';
import type { Reply, Servable } from '../core/servable.js';

/** Set by what answers in another's name. */
export const SERVED_BY = 'served_by';

export class TellingServable implements Servable {
  readonly #inner: Servable;
  /** What most answers tell: the model's own, at the first attempt. */
  #usual: { readonly servedBy: string; readonly parameters: Parameters } | undefined;

  constructor(inner: Servable) {
    this.#inner = inner;
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    const effort = new Effort();
    call.effort = effort;
    this.#inner.infer(request, call, new TellingReply(this, effort, reply));
  }

  /** @internal */
  parametersOf(response: InferenceResponse, effort: Effort): Parameters {
    if (response.parameters || response.degradation || effort.attempts !== 1 || effort.hedged)
      return parametersOf(response, effort);
    const by = servedBy(response);
    if (this.#usual?.servedBy !== by)
      this.#usual = { servedBy: by, parameters: parametersOf(response, effort) };
    return this.#usual.parameters;
  }
}

/** Around what is asked at last, once for each attempt. */
export class CountedServable implements Servable {
  readonly #inner: Servable;

  constructor(inner: Servable) {
    this.#inner = inner;
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    if (call.effort) call.effort.attempts++;
    this.#inner.infer(request, call, reply);
  }
}

export function servedBy({ modelName, modelVersion, parameters }: InferenceResponse): string {
  const told = parameters?.get(SERVED_BY);
  return typeof told === 'string' ? told : `${modelName}:${modelVersion}`;
}

// ---- details below; callers need not read ----

type Parameters = ReadonlyMap<string, ResponseParameter>;

class TellingReply implements Reply {
  readonly #owner: TellingServable;
  readonly #effort: Effort;
  readonly #reply: Reply;

  constructor(owner: TellingServable, effort: Effort, reply: Reply) {
    this.#owner = owner;
    this.#effort = effort;
    this.#reply = reply;
  }

  response(response: InferenceResponse): void {
    const { modelName, modelVersion, outputs, degradation } = response;
    const parameters = this.#owner.parametersOf(response, this.#effort);
    this.#reply.response({ modelName, modelVersion, outputs, parameters, degradation });
  }

  end(error?: RuntimeError): void {
    this.#reply.end(error);
  }
}

function parametersOf(response: InferenceResponse, { attempts, hedged }: Effort): Parameters {
  const parameters = new Map<string, ResponseParameter>(response.parameters);
  parameters.set(SERVED_BY, servedBy(response));
  parameters.set('attempts', attempts);
  parameters.set('hedged', hedged);
  const { degradation } = response;
  if (degradation) parameters.set('degradation_level', degradation.level);
  return parameters;
}
