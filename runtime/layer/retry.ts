// Asks the same model again when something broke, after a while, and never when the answer would come too late. One leg for each attempt.
// Requests of sequences are asked once. What is worth asking again, core/failure-kind.ts says.

import type { Call, CancelListener } from '../core/call.js';
import { firstError, RuntimeError } from '../core/errors.js';
import { isRetriable } from '../core/failure-kind.js';
import { isInSequence, type InferenceRequest, type InferenceResponse } from '../core/inference.js';
import { Leg, LegFigures, type LegTarget } from '../core/leg.js';
import { PipelineCounter, type PipelineNode } from '../core/pipeline-node.js';
import type { Reply, Servable } from '../core/servable.js';
import { TimerNode } from '../core/timer-wheel.js';
import { rowsOf, type PolicyLayer, type PolicyParts } from './policy-layer.js';
import { retryDelayMs, type Backoff } from './retry-delay.js';

export interface RetryOptions extends Backoff {
  readonly maxAttempts: number;
}

export class Retry implements PolicyLayer {
  readonly options: RetryOptions;
  readonly parts: PolicyParts;
  readonly retries = new PipelineCounter('retries');
  readonly #figures = new LegFigures();

  constructor(options: RetryOptions, parts: PolicyParts) {
    this.options = options;
    this.parts = parts;
  }

  around(inner: Servable): Servable {
    const { clock, wheel } = this.parts;
    const targets = Array.from({ length: this.options.maxAttempts }, (_, i): LegTarget => ({
      name: `attempt ${i + 1}`,
      servable: inner,
      figures: this.#figures,
      clock,
      wheel,
    }));
    return {
      infer: (request, call, reply) => {
        if (isInSequence(request)) inner.infer(request, call, reply);
        else new RetriedRequest(this, targets, { request, call, reply }).send();
      },
    };
  }

  node(inside: PipelineNode): PipelineNode {
    const { maxAttempts, initialMs, maxMs } = this.options;
    return {
      kind: 'retry',
      name: '',
      figures: this.#figures,
      counters: [this.retries],
      settings: { max_attempts: String(maxAttempts), backoff: `${initialMs} ms to ${maxMs} ms` },
      children: [inside],
    };
  }

  /** How long to wait before another attempt; undefined: there is no time for one. */
  delayMs(failures: number, call: Call): number | undefined {
    const now = this.parts.clock.now();
    const delayMs = retryDelayMs(this.options, failures, this.parts.random());
    const remainingMs = call.deadline - now - delayMs;
    return remainingMs > this.#figures.neededMs(now) ? delayMs : undefined;
  }
}

// ---- details below; callers need not read ----

class RetriedRequest extends TimerNode implements Reply, CancelListener {
  readonly #retry: Retry;
  readonly #targets: readonly LegTarget[];
  readonly #request: InferenceRequest;
  readonly #call: Call;
  readonly #reply: Reply;
  readonly #errors: RuntimeError[] = [];
  #leg: Leg | undefined;
  #response: InferenceResponse | undefined;
  #isWaiting = false;

  constructor(
    retry: Retry,
    targets: readonly LegTarget[],
    asked: { readonly request: InferenceRequest; readonly call: Call; readonly reply: Reply },
  ) {
    super();
    this.#retry = retry;
    this.#targets = targets;
    this.#request = asked.request;
    this.#call = asked.call;
    this.#reply = asked.reply;
    this.#call.tried ??= [];
  }

  send(): void {
    const target = this.#targets[this.#errors.length]!;
    this.#leg = new Leg(target, this, { parent: this.#call });
    this.#leg.send(this.#request, rowsOf(this.#request, this.#retry.parts.model));
  }

  response(response: InferenceResponse): void {
    this.#response = response;
  }

  end(error?: RuntimeError): void {
    if (error) {
      this.#failed(error);
      return;
    }
    this.#call.timings.take(this.#leg!.call.timings);
    if (this.#response) this.#reply.response(this.#response);
    this.#reply.end();
  }

  /** The time before another attempt is over. */
  onDue(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#retry.retries.value++;
    this.send();
  }

  callCancelled(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#retry.parts.wheel.cancel(this);
    this.#reply.end(new RuntimeError('CANCELLED', 'Request was cancelled'));
  }

  #failed(error: RuntimeError): void {
    this.#response = undefined;
    this.#errors.push(error);
    const failures = this.#errors.length;
    const mayTry = failures < this.#targets.length && isRetriable(error, this.#call);
    const delayMs = mayTry ? this.#retry.delayMs(failures, this.#call) : undefined;
    if (delayMs === undefined) {
      this.#call.timings.take(this.#leg!.call.timings);
      this.#reply.end(firstError(this.#errors as [RuntimeError]));
      return;
    }
    const { clock, wheel } = this.#retry.parts;
    this.#isWaiting = true;
    wheel.schedule(this, clock.now() + delayMs);
    if (failures === 1) this.#call.onCancel(this);
  }
}
