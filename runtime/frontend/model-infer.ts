// The ModelInfer call: bytes -> request -> model -> response -> bytes. The hot path of the server; one object per call holds it
// together, from the message to the release of the model.

import { Call } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import { bug, RuntimeError } from '../core/errors.js';
import type { InferenceResponse, RequestedOutput } from '../core/inference.js';
import type { ModelCatalog, ServableHandle, ServedModel } from '../core/model-catalog.js';
import type { Reply } from '../core/servable.js';
import { classify } from './classification.js';
import { grpcStatusOf } from './grpc-status.js';
import type { GrpcMethod, UnaryCall } from './grpc-transport.js';
import { decodeInferRequest, type DecodedInferRequest } from './infer-request-decoder.js';
import { encodeInferResponse } from './infer-response-encoder.js';

export function modelInferMethod(catalog: ModelCatalog, clock: Clock): GrpcMethod {
  return {
    path: '/inference.GRPCInferenceService/ModelInfer',
    kind: 'unary',
    handle: (call) => {
      const receivedAt = clock.now();
      let inference;
      try {
        const decoded = decodeInferRequest(call.message);
        const handle = catalog.acquire(decoded.request.modelName, decoded.modelVersion);
        inference = new UnaryInference(call, decoded, handle);
      } catch (error) {
        call.fail(grpcStatusOf(error));
        return;
      }
      inference.start(receivedAt);
    },
  };
}

// ---- details below; callers need not read ----

class UnaryInference implements Reply {
  readonly #call: UnaryCall;
  readonly #decoded: DecodedInferRequest;
  readonly #handle: ServableHandle;
  #answer: Buffer | undefined;
  #error: unknown;

  constructor(call: UnaryCall, decoded: DecodedInferRequest, handle: ServableHandle) {
    this.#call = call;
    this.#decoded = decoded;
    this.#handle = handle;
  }

  start(receivedAt: number): void {
    const { request, defect } = this.#decoded;
    if (defect) {
      this.end(defect);
      return;
    }
    const call = new Call(receivedAt, this.#call.deadline);
    this.#call.onCancelled(call);
    try {
      this.#handle.servable.infer(request, call, this);
    } catch (thrown) {
      // It must not throw; but whoever does must not take the model out of service.
      this.end(RuntimeError.from(thrown));
    }
  }

  response(response: InferenceResponse): void {
    const { id, outputs } = this.#decoded.request;
    try {
      this.#answer = encodeInferResponse(withClasses(response, outputs, this.#handle.model), id);
    } catch (error) {
      this.#error = error;
    }
  }

  end(error?: RuntimeError): void {
    const failure = error ?? this.#error;
    if (failure === undefined && this.#answer) this.#call.reply(this.#answer);
    else this.#call.fail(grpcStatusOf(failure ?? this.#noResponse()));
    this.#handle.release();
  }

  #noResponse(): RuntimeError {
    return bug(`model '${this.#handle.model.name}' ended without a response`);
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
