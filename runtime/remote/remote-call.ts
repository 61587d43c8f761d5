// A request under way at an endpoint, whatever the call: sent, counted, and ended once, by its answer, its failure or its caller. What it
// says of the endpoint is settled here; how answers come is left to remote-unary.ts and remote-stream.ts.

import type { Call, CancelListener } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import { isDue } from '../core/deadline.js';
import { RuntimeError } from '../core/errors.js';
import { isRetriable } from '../core/failure-kind.js';
import type { InferenceRequest, InferenceResponse } from '../core/inference.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import type { Reply } from '../core/servable.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import { answerOf, rowsOf, type RemoteModel } from './answer.js';
import type { CallStatus, OutgoingCall, PendingCall } from './endpoint-connection.js';
import type { Endpoint } from './endpoint.js';
import type { Endpoints } from './endpoints.js';
import { encodeInferRequest, type DecodedInferResponse } from './infer-messages.js';
import { endpointError } from './status-error.js';

export interface RemoteCallParts {
  readonly model: RemoteModel;
  readonly endpoints: Endpoints;
  readonly statistics: ModelStatistics;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
}

export interface AskedRequest {
  readonly request: InferenceRequest;
  readonly call: Call;
  readonly reply: Reply;
}

/** So many times what an answer takes on average. */
const TOO_LONG = 4;

export abstract class RemoteCall implements CancelListener {
  protected readonly parts: RemoteCallParts;
  protected readonly endpoint: Endpoint;
  protected readonly asked: AskedRequest;
  readonly #rows: number;
  #pending: PendingCall | undefined;
  #isEnded = false;
  #inputMs = 0;

  constructor(parts: RemoteCallParts, endpoint: Endpoint, asked: AskedRequest) {
    this.parts = parts;
    this.endpoint = endpoint;
    this.asked = asked;
    this.#rows = parts.model.batched ? (rowsOf(asked.request) ?? 1) : 1;
  }

  /** How long its reader did not want to hear more, up to now. */
  protected abstract heldMs(now: number): number;

  /** How long the endpoint has had to say something, and did not. */
  protected abstract silentMs(now: number): number;

  protected abstract open(call: Omit<OutgoingCall, 'path'>): PendingCall;

  protected get isEnded(): boolean {
    return this.#isEnded;
  }

  send(): void {
    const { call, request } = this.asked;
    const { clock, model } = this.parts;
    const { timings } = call;
    const now = (timings.queuedAt = timings.dispatchedAt = clock.now());
    let message;
    try {
      const outputs = model.outputNames(request);
      message = encodeInferRequest(request, model.remote, { outputs, final: model.decoupled });
    } catch (error) {
      this.#isEnded = true;
      this.asked.reply.end(RuntimeError.from(error));
      return;
    }
    this.#inputMs = clock.now() - now;
    this.endpoint.figures.wasSent(this.#rows, now);
    try {
      const headers = call.trace?.traceHeaders(call);
      this.#pending = this.open({ message, timeoutMs: call.deadline - now, headers });
    } catch (error) {
      this.#fail(RuntimeError.from(error));
      return;
    }
    call.onCancel(this);
  }

  callCancelled(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { call, reply } = this.asked;
    this.#pending?.cancel();
    if (isDue(call.deadline, this.parts.clock.now())) this.#wasLate();
    else this.endpoint.figures.abandoned++;
    reply.end(new RuntimeError('CANCELLED', 'Request was cancelled'));
  }

  /** What the endpoint says went wrong. */
  protected failedWith(status: CallStatus): void {
    const { address } = this.endpoint;
    this.#fail(endpointError(status, { address, model: this.parts.model.name }));
  }

  /** The endpoint has not kept to the protocol, or to what is declared of the model. */
  protected misbehaved(what: string, cause?: unknown): void {
    const { address } = this.endpoint;
    const text = `endpoint '${address}' of model '${this.parts.model.name}' ${what}`;
    this.#fail(new RuntimeError('BACKEND_FAILED', text, { cause }));
  }

  protected gaveNoValidAnswer(thrown: unknown): void {
    const { message } = RuntimeError.from(thrown);
    this.misbehaved(`gave no valid answer: ${message}`, thrown);
  }

  /** @throws RuntimeError that says what is wrong with it */
  protected answerIn(decoded: DecodedInferResponse): InferenceResponse {
    return answerOf(decoded, this.asked.request, this.parts.model);
  }

  /** All has been answered. `outputMs`: what it took to read. */
  protected succeed(answeredAt: number, outputMs: number): void {
    this.#isEnded = true;
    const { timings } = this.asked.call;
    const { figures, ejection } = this.endpoint;
    const ms = answeredAt - timings.dispatchedAt;
    timings.completedAt = answeredAt + outputMs;
    timings.batchSize = this.#rows;
    timings.inputMs = this.#inputMs;
    timings.inferMs = ms - this.#inputMs;
    timings.outputMs = outputMs;
    this.parts.statistics.executed(this.#rows, timings);
    figures.wasAnswered(ms - this.heldMs(answeredAt), answeredAt);
    ejection.answered(answeredAt);
  }

  // ---- details below; callers need not read ----

  #fail(error: RuntimeError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { call, reply } = this.asked;
    if (error.code === 'DEADLINE_EXCEEDED') this.#wasLate();
    else {
      this.endpoint.figures.failed++;
      if (isRetriable(error, call)) this.#blame();
    }
    reply.end(error);
  }

  #wasLate(): void {
    const { figures } = this.endpoint;
    figures.failed++;
    figures.timedOut++;
    if (this.#isTooSlow()) this.#blame();
  }

  /**
   * A deadline that the configuration set is one to be kept, unless the reader has taken of the time; a caller's may be as short as he
   * likes, and then says nothing.
   */
  #isTooSlow(): boolean {
    const now = this.parts.clock.now();
    if (this.asked.call.isLimited && this.heldMs(now) === 0) return true;
    const silentMs = this.silentMs(now);
    return silentMs > 0 && silentMs >= TOO_LONG * this.parts.endpoints.meanMs;
  }

  #blame(): void {
    this.parts.endpoints.failed(this.endpoint, this.asked.call.timings.dispatchedAt);
  }
}
