// A model that answers when it is told to, with what the test computes. As a scheduler it answers those at once whose caller has gone.

import type { Call, CancelListener } from '../core/call.js';
import { RuntimeError, type ErrorCode } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse } from '../core/inference.js';
import type { Reply, Servable } from '../core/servable.js';

export type Answer = (request: InferenceRequest) => Partial<InferenceResponse>;

export class PuppetServable implements Servable {
  /** Every request that ever came. */
  readonly asked: InferenceRequest[] = [];
  readonly calls: Call[] = [];
  readonly #answer: Answer;
  readonly #waiting: Waiting[] = [];

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    this.asked.push(request);
    this.calls.push(call);
    const waiting = new Waiting(request, reply);
    this.#waiting.push(waiting);
    call.onCancel(waiting);
  }

  /** Requests that are not answered yet. */
  get waiting(): number {
    return this.#waiting.filter(({ ended }) => !ended).length;
  }

  /** Answers the request that has waited longest, or the one at `place` among those that wait. */
  release(place = 0): void {
    const { request, reply } = this.#take(place);
    reply.response({
      modelName: request.modelName,
      modelVersion: '1',
      outputs: [],
      ...this.#answer(request),
    });
    reply.end();
  }

  fail(code: ErrorCode = 'BACKEND_FAILED', { place = 0, message = 'no' } = {}): void {
    this.#take(place).reply.end(new RuntimeError(code, message));
  }

  #take(place: number): Waiting {
    const waiting = this.#waiting.filter(({ ended }) => !ended)[place];
    if (!waiting) throw new Error('no request waits');
    waiting.ended = true;
    return waiting;
  }
}

class Waiting implements CancelListener {
  readonly request: InferenceRequest;
  readonly reply: Reply;
  ended = false;

  constructor(request: InferenceRequest, reply: Reply) {
    this.request = request;
    this.reply = reply;
  }

  callCancelled(): void {
    if (this.ended) return;
    this.ended = true;
    this.reply.end(new RuntimeError('CANCELLED', 'Request was cancelled'));
  }
}
