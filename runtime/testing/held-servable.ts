// A model that answers when the test says so, and keeps what it was asked.

import type { Call, CancelListener } from '../core/call.js';
import { RuntimeError, type ErrorCode } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse } from '../core/inference.js';
import type { Reply, Servable } from '../core/servable.js';
import type { Clock } from '../core/clock.js';
import { aResponse } from './build.js';

/** One request it was asked. */
export class HeldRequest implements CancelListener {
  readonly request: InferenceRequest;
  readonly call: Call;
  isDone = false;
  readonly #reply: Reply;

  constructor(request: InferenceRequest, call: Call, reply: Reply) {
    this.request = request;
    this.call = call;
    this.#reply = reply;
  }

  answer(response: InferenceResponse = aResponse()): void {
    if (this.isDone) return;
    this.isDone = true;
    this.#reply.response(response);
    this.#reply.end();
  }

  fail(code: ErrorCode = 'BACKEND_FAILED', message = `no: ${code}`): void {
    if (this.isDone) return;
    this.isDone = true;
    this.#reply.end(new RuntimeError(code, message));
  }

  /** As a scheduler does, at once. */
  callCancelled(): void {
    this.fail('CANCELLED', 'Request was cancelled');
  }
}

export class HeldServable implements Servable {
  readonly asked: HeldRequest[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those it has not answered. */
  get open(): HeldRequest[] {
    return this.asked.filter(({ isDone }) => !isDone);
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    const asked = new HeldRequest(request, call, reply);
    this.asked.push(asked);
    call.timings.queuedAt = this.#clock.now();
    if (this.#clock.now() >= call.deadline) asked.fail('DEADLINE_EXCEEDED');
    else call.onCancel(asked);
  }
}
