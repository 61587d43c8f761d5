// The leaf of a remote model: sends each request to one of its endpoints and hands on what that answers. It has no queue; what waits,
// waits at the endpoints. Hedges and retries are layers around it, and find here another endpoint than the one before.

import type { Call, CancelListener } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import { isDue } from '../core/deadline.js';
import { RuntimeError } from '../core/errors.js';
import { isRetriable } from '../core/failure-kind.js';
import {
  isInSequence,
  requestIdPrefix,
  type InferenceRequest,
  type InferenceResponse,
} from '../core/inference.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import type { Reply, Servable } from '../core/servable.js';
import { answerOf, type RemoteModel } from './answer.js';
import type { AnswerListener, CallStatus, PendingCall } from './endpoint-connection.js';
import type { Endpoint } from './endpoint.js';
import type { Endpoints } from './endpoints.js';
import { encodeInferRequest } from './infer-messages.js';
import { endpointError } from './status-error.js';

export interface RemoteServableParts {
  readonly model: RemoteModel;
  readonly endpoints: Endpoints;
  readonly statistics: ModelStatistics;
  readonly clock: Clock;
  /** Told before every request: addresses may have to be looked up again. */
  readonly refresh?: () => void;
  /** Why there is no endpoint. */
  readonly whyNone?: () => string;
}

const INFER_PATH = '/inference.GRPCInferenceService/ModelInfer';

export class RemoteServable implements Servable {
  readonly #parts: RemoteServableParts;

  constructor(parts: RemoteServableParts) {
    this.#parts = parts;
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    const refusal = this.#refusal(request, call);
    if (refusal) {
      reply.end(refusal);
      return;
    }
    this.#parts.refresh?.();
    const endpoint = this.#pick(request, call);
    if (endpoint) new RemoteCall(this.#parts, endpoint, { request, call, reply }).send();
    else reply.end(this.#nowhere());
  }

  #refusal(request: InferenceRequest, call: Call): RuntimeError | undefined {
    if (call.cancelled) return new RuntimeError('CANCELLED', 'Request was cancelled');
    if (call.deadline > this.#parts.clock.now()) return undefined;
    const text = `${requestIdPrefix(request)}the deadline has passed before the request was sent`;
    return new RuntimeError('DEADLINE_EXCEEDED', text);
  }

  #pick(request: InferenceRequest, { tried }: Call): Endpoint | undefined {
    const { endpoints, model } = this.#parts;
    if (isInSequence(request)) return endpoints.pickFor(String(request.parameters.sequenceId));
    if (!tried) return endpoints.pick();
    // What another model of the same pipeline was sent says nothing of this one.
    const mine = `${model.name} `;
    const addresses = tried.flatMap((it) => (it.startsWith(mine) ? [it.slice(mine.length)] : []));
    const endpoint = endpoints.pick(addresses);
    if (endpoint) tried.push(mine + endpoint.address);
    return endpoint;
  }

  #nowhere(): RuntimeError {
    const { model, whyNone } = this.#parts;
    const text = `model '${model.name}' has no endpoint${whyNone ? `: ${whyNone()}` : ''}`;
    return new RuntimeError('BACKEND_LOST', text);
  }
}

// ---- details below; callers need not read ----

interface Asked {
  readonly request: InferenceRequest;
  readonly call: Call;
  readonly reply: Reply;
}

/** So many times what an answer takes on average. */
const TOO_LONG = 4;

/** A request under way at an endpoint; ends once, by its answer, its failure or its caller. */
class RemoteCall implements AnswerListener, CancelListener {
  readonly #parts: RemoteServableParts;
  readonly #endpoint: Endpoint;
  readonly #asked: Asked;
  readonly #rows: number;
  #pending: PendingCall | undefined;
  #isEnded = false;
  #inputMs = 0;

  constructor(parts: RemoteServableParts, endpoint: Endpoint, asked: Asked) {
    this.#parts = parts;
    this.#endpoint = endpoint;
    this.#asked = asked;
    this.#rows = parts.model.batched ? (asked.request.inputs[0]?.shape[0] ?? 1) : 1;
  }

  send(): void {
    const { call, request } = this.#asked;
    const { clock, model } = this.#parts;
    const { timings } = call;
    const now = (timings.queuedAt = timings.dispatchedAt = clock.now());
    let message;
    try {
      message = encodeInferRequest(request, model.remote, model.outputNames(request));
    } catch (error) {
      this.#isEnded = true;
      this.#asked.reply.end(RuntimeError.from(error));
      return;
    }
    this.#inputMs = clock.now() - now;
    const { figures, connection } = this.#endpoint;
    figures.wasSent(this.#rows, now);
    const timeoutMs = call.deadline - now;
    this.#pending = connection.unary({ path: INFER_PATH, message, timeoutMs }, this);
    call.onCancel(this);
  }

  answered(message: Buffer): void {
    if (this.#isEnded) return;
    const { clock, model } = this.#parts;
    const now = clock.now();
    let response;
    try {
      response = answerOf(message, this.#asked.request, model);
    } catch (error) {
      const why = `gave no valid answer: ${RuntimeError.from(error).message}`;
      this.#fail(
        new RuntimeError(
          'BACKEND_FAILED',
          `endpoint '${this.#endpoint.address}' of model '${model.name}' ${why}`,
          { cause: error },
        ),
      );
      return;
    }
    this.#isEnded = true;
    this.#count(now, clock.now());
    this.#succeed(response);
  }

  failed(status: CallStatus): void {
    if (this.#isEnded) return;
    const { address } = this.#endpoint;
    this.#fail(endpointError(status, { address, model: this.#parts.model.name }));
  }

  callCancelled(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { call, reply } = this.#asked;
    const { figures } = this.#endpoint;
    this.#pending?.cancel();
    if (isDue(call.deadline, this.#parts.clock.now())) this.#wasLate();
    else figures.abandoned++;
    reply.end(new RuntimeError('CANCELLED', 'Request was cancelled'));
  }

  #count(now: number, decodedAt: number): void {
    const { timings } = this.#asked.call;
    const { figures, ejection } = this.#endpoint;
    const ms = now - timings.dispatchedAt;
    timings.completedAt = decodedAt;
    timings.batchSize = this.#rows;
    timings.inputMs = this.#inputMs;
    timings.inferMs = ms - this.#inputMs;
    timings.outputMs = decodedAt - now;
    this.#parts.statistics.executed(this.#rows, timings);
    figures.wasAnswered(ms, now);
    ejection.answered(now);
  }

  #succeed(response: InferenceResponse): void {
    const { reply } = this.#asked;
    reply.response(response);
    reply.end();
  }

  #fail(error: RuntimeError): void {
    this.#isEnded = true;
    const { call, reply } = this.#asked;
    if (error.code === 'DEADLINE_EXCEEDED') this.#wasLate();
    else {
      this.#endpoint.figures.failed++;
      if (isRetriable(error, call)) this.#blame();
    }
    reply.end(error);
  }

  /** A deadline that the configuration set is one to be kept; a caller's may be as short as he likes, and then says nothing. */
  #wasLate(): void {
    const { figures } = this.#endpoint;
    const { call } = this.#asked;
    figures.failed++;
    figures.timedOut++;
    const { endpoints, clock } = this.#parts;
    const waitedMs = clock.now() - call.timings.dispatchedAt;
    if (call.isLimited || waitedMs >= TOO_LONG * endpoints.meanMs) this.#blame();
  }

  #blame(): void {
    this.#parts.endpoints.failed(this.#endpoint, this.#asked.call.timings.dispatchedAt);
  }
}
