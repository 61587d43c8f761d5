// The ModelInfer call: bytes -> request -> model -> response -> bytes. The hot path of the server; one object per call holds it
// together, from the message to the release of the model.

import { Call } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import { bug, RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse, RequestedOutput } from '../core/inference.js';
import type { ModelCatalog, ServableHandle, ServedModel } from '../core/model-catalog.js';
import type { RequestObserver } from '../core/request-observer.js';
import type { Reply } from '../core/servable.js';
import { classify } from './classification.js';
import { grpcStatusOf } from './grpc-status.js';
import type { GrpcMethod, UnaryCall } from './grpc-transport.js';
import { decodeInferRequest } from './infer-request-decoder.js';
import { encodeInferResponse } from './infer-response-encoder.js';
import { wantsTimings, withTimings } from './response-timings.js';

export interface ModelInferParts {
  readonly catalog: ModelCatalog;
  readonly clock: Clock;
  /** Undefined: nobody wants to know. */
  readonly observer: RequestObserver | undefined;
}

export function modelInferMethod(parts: ModelInferParts): GrpcMethod {
  return {
    path: '/inference.GRPCInferenceService/ModelInfer',
    kind: 'unary',
    handle: (call) => new UnaryInference(call, parts).start(),
  };
}

// ---- details below; callers need not read ----

class UnaryInference implements Reply {
  readonly #call: UnaryCall;
  readonly #parts: ModelInferParts;
  readonly #inference: Call;
  #request: InferenceRequest | undefined;
  #handle: ServableHandle | undefined;
  #answer: Buffer | undefined;
  #error: RuntimeError | undefined;
  #isEnded = false;

  constructor(call: UnaryCall, parts: ModelInferParts) {
    this.#call = call;
    this.#parts = parts;
    this.#inference = new Call(parts.clock.now(), call.deadline);
  }

  start(): void {
    try {
      const { request, modelVersion, defect } = decodeInferRequest(this.#call.message);
      this.#request = request;
      this.#handle = this.#parts.catalog.acquire(request.modelName, modelVersion);
      if (defect) throw defect;
      this.#call.onCancelled(this.#inference);
      // It must not throw; but if it does, the model must not be held for ever.
      this.#handle.servable.infer(request, this.#inference, this);
    } catch (thrown) {
      if (this.#isEnded) throw thrown;
      this.end(RuntimeError.from(thrown));
    }
  }

  response(response: InferenceResponse): void {
    const request = this.#request!;
    try {
      let answer = withClasses(response, request.outputs, this.#handle!.model);
      if (wantsTimings(request)) answer = withTimings(answer, this.#inference.timings);
      this.#answer = encodeInferResponse(answer, request.id);
    } catch (error) {
      this.#error = RuntimeError.from(error);
    }
  }

  end(error?: RuntimeError): void {
    this.#isEnded = true;
    const failure = error ?? this.#error ?? (this.#answer ? undefined : this.#noResponse());
    if (failure) this.#call.fail(grpcStatusOf(failure));
    else this.#call.reply(this.#answer!);
    this.#handle?.release();
    if (this.#parts.observer) this.#tell(this.#parts.observer, failure);
  }

  #tell(observer: RequestObserver, error: RuntimeError | undefined): void {
    observer.requestFinished({
      modelName: this.#request?.modelName ?? '',
      modelVersion: String(this.#handle?.model.version ?? ''),
      id: this.#request?.id ?? '',
      timings: this.#inference.timings,
      endedAt: this.#parts.clock.now(),
      error,
      metadata: (key) => this.#call.metadata(key),
    });
  }

  #noResponse(): RuntimeError {
    return bug(`model '${this.#request?.modelName ?? ''}' ended without a response`);
  }
}

/** Outputs for which the caller wants classes, replaced by them. */
function withClasses(
  response: InferenceResponse,
  requested: readonly RequestedOutput[],
  { batched, labels }: ServedModel,
): InferenceResponse {
  if (requested.length === 0 || requested.every(({ classCount }) => classCount === 0))
    return response;
  const outputs = response.outputs.map((tensor) => {
    const classCount = requested.find(({ name }) => name === tensor.name)?.classCount ?? 0;
    if (classCount === 0) return tensor;
    return classify(tensor, { batched, classCount, labels: labels.get(tensor.name) ?? [] });
  });
  return { ...response, outputs };
}
