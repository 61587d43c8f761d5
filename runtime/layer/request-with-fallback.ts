// One request to a model that has fallbacks: asked of the model, then, as long as nobody has answered, of each target in turn.

import type { Call } from '../core/call.js';
import type { Deadline } from '../core/deadline.js';
import { RuntimeError, firstError } from '../core/errors.js';
import { isReplaceable } from '../core/failure-kind.js';
import { worstOf, type InferenceRequest, type InferenceResponse } from '../core/inference.js';
import { Leg, type LegTarget } from '../core/leg.js';
import type { Reply } from '../core/servable.js';
import type { Tensor } from '../core/tensor.js';
import { LastGoodTarget, ModelTarget, type FallbackTarget } from './fallback-target.js';
import type { AskedRows } from './last-good.js';
import { rowsOf, type PolicyParts } from './policy-layer.js';
import { SERVED_BY, servedBy } from './served-by.js';
import { outputsInNames, requestInNames } from './tensor-names.js';

/** What a request asks of the fallback policy of its model. */
export interface FallbackPolicy {
  readonly parts: PolicyParts;
  readonly targets: readonly FallbackTarget[];
  /** Where legs are sent, by the places of the targets; undefined for those that are sent none. */
  readonly legTargets: readonly (LegTarget | undefined)[];
  /** Of the targets, those that keep answers. */
  readonly keepers: readonly LastGoodTarget[];
  /** "name:version" of the model itself. */
  readonly identity: string;
  readonly fallbacks: { value: number };
  /** When a leg must have answered, so that there is time for the target at `next`. */
  deadlineBefore(next: number, call: Call): Deadline;
}

export class RequestWithFallback implements Reply {
  readonly #policy: FallbackPolicy;
  readonly #request: InferenceRequest;
  readonly #call: Call;
  readonly #reply: Reply;
  readonly #errors: RuntimeError[] = [];
  /** Of the target asked now; -1: the model itself. */
  #index = -1;
  #leg: Leg | undefined;
  #response: InferenceResponse | undefined;

  constructor(
    policy: FallbackPolicy,
    asked: { readonly request: InferenceRequest; readonly call: Call; readonly reply: Reply },
  ) {
    this.#policy = policy;
    this.#request = asked.request;
    this.#call = asked.call;
    this.#reply = asked.reply;
  }

  /** `model`: what is asked first. */
  start(model: LegTarget): void {
    this.#send(model, this.#request);
  }

  response(response: InferenceResponse): void {
    this.#response = response;
  }

  end(error?: RuntimeError): void {
    this.#call.timings.take(this.#leg!.call.timings);
    if (!error) {
      this.#answered(this.#response);
      return;
    }
    this.#response = undefined;
    this.#failed(error);
  }

  // ---- details below; callers need not read ----

  #failed(error: RuntimeError): void {
    this.#errors.push(error);
    // A target may refuse what the model itself would have taken.
    const mayGoOn = this.#index < 0 ? isReplaceable(error, this.#call) : !this.#call.cancelled;
    if (!mayGoOn || !this.#askNext()) this.#reply.end(firstError(this.#errors as [RuntimeError]));
  }

  #answered(response: InferenceResponse | undefined): void {
    const { targets, keepers, parts } = this.#policy;
    const target = targets[this.#index];
    if (!response) {
      this.#reply.end();
    } else if (target instanceof ModelTarget) {
      this.#answeredBy(target, response);
    } else {
      this.#reply.response(response);
      this.#reply.end();
      if (response.degradation) return;
      for (const keeper of keepers) keeper.keep(this.#asked(), response, parts.clock.now());
    }
  }

  /** False: nobody is left. */
  #askNext(): boolean {
    const { targets, fallbacks } = this.#policy;
    for (this.#index++; this.#index < targets.length; this.#index++) {
      const target = targets[this.#index]!;
      const isAsked = target instanceof LastGoodTarget ? this.#find(target) : this.#ask(target);
      if (!isAsked) continue;
      fallbacks.value++;
      return true;
    }
    return false;
  }

  #asked(): AskedRows {
    return { request: this.#request, rows: rowsOf(this.#request, this.#policy.parts.model) };
  }

  #find(target: LastGoodTarget): boolean {
    const now = this.#policy.parts.clock.now();
    const response = now < this.#call.deadline ? target.find(this.#asked(), now) : undefined;
    if (!response) return false;
    const { timings } = this.#call;
    timings.cached = true;
    timings.queuedAt = timings.dispatchedAt = timings.completedAt = now;
    this.#answerFor(target, response, response.outputs);
    return true;
  }

  #ask(target: ModelTarget): boolean {
    const { identity, legTargets, parts } = this.#policy;
    const replaced = [...(this.#call.replaced ?? []), identity];
    const now = parts.clock.now();
    const isLate = this.#call.deadline - now <= target.figures.neededMs(now);
    if (isLate || target.isAmong(replaced)) return false;
    if (this.#call.effort) this.#call.effort.attempts++;
    this.#send(legTargets[this.#index]!, requestInNames(this.#request, target.names), replaced);
    return true;
  }

  #send(target: LegTarget, request: InferenceRequest, replaced = this.#call.replaced): void {
    const deadline = this.#policy.deadlineBefore(this.#index + 1, this.#call);
    const leg = new Leg(target, this, { parent: this.#call, deadline, isLimit: false });
    leg.call.replaced = replaced;
    this.#leg = leg;
    leg.send(request, rowsOf(this.#request, this.#policy.parts.model));
  }

  #answeredBy(target: ModelTarget, response: InferenceResponse): void {
    let outputs;
    try {
      outputs = outputsInNames(response, target.names, this.#policy.parts.model.outputs);
    } catch (error) {
      this.#failed(RuntimeError.from(error));
      return;
    }
    this.#answerFor(target, response, outputs);
  }

  /** In the name of the model that was asked. */
  #answerFor(
    { degradation }: FallbackTarget,
    response: InferenceResponse,
    outputs: readonly Tensor[],
  ): void {
    const { model } = this.#policy.parts;
    this.#reply.response({
      modelName: model.name,
      modelVersion: String(model.version),
      outputs,
      parameters: new Map(response.parameters).set(SERVED_BY, servedBy(response)),
      degradation: worstOf(degradation, response.degradation),
    });
    this.#reply.end();
  }
}
