// The leaf of a remote model: sends each request to one of its endpoints and hands on what that answers. It has no queue; what waits,
// waits at the endpoints. Hedges and retries are layers around it, and find here another endpoint than the one before.

import type { Call } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import { isInSequence, requestIdPrefix, type InferenceRequest } from '../core/inference.js';
import type { Reply, Servable } from '../core/servable.js';
import type { Endpoint } from './endpoint.js';
import type { AskedRequest, RemoteCallParts } from './remote-call.js';
import { RemoteStream } from './remote-stream.js';
import { RemoteUnary } from './remote-unary.js';

export interface RemoteServableParts extends RemoteCallParts {
  /** Told before every request: addresses may have to be looked up again. */
  readonly refresh?: () => void;
  /** Why there is no endpoint. */
  readonly whyNone?: () => string;
}

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
    if (endpoint) this.#send(endpoint, { request, call, reply });
    else reply.end(this.#nowhere());
  }

  #send(endpoint: Endpoint, asked: AskedRequest): void {
    const { decoupled } = this.#parts.model;
    if (decoupled) new RemoteStream(this.#parts, endpoint, asked).send();
    else new RemoteUnary(this.#parts, endpoint, asked).send();
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
