// The ModelInfer call: bytes -> request -> model -> response -> bytes. The hot path of the server; one object per call holds it
// together, from the message to the release of the model.

import { RuntimeError } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import type { ServedModel } from '../core/model-catalog.js';
import { grpcStatusOf } from './grpc-status.js';
import type { GrpcMethod, UnaryCall } from './grpc-transport.js';
import { encodeInferResponse } from './infer-response-encoder.js';
import { ModelInference, type ModelInferenceParts } from './model-inference.js';

export function modelInferMethod(parts: ModelInferenceParts): GrpcMethod {
  return {
    path: '/inference.GRPCInferenceService/ModelInfer',
    kind: 'unary',
    handle: (call) => new UnaryInference(call, parts).run(call.message),
  };
}

// ---- details below; callers need not read ----

class UnaryInference extends ModelInference {
  readonly #call: UnaryCall;
  #answer: Buffer | undefined;
  #error: RuntimeError | undefined;

  constructor(call: UnaryCall, parts: ModelInferenceParts) {
    super(call, call.deadline, parts);
    this.#call = call;
  }

  response(response: InferenceResponse): void {
    try {
      this.#answer = encodeInferResponse(this.prepared(response), this.id);
    } catch (error) {
      this.#error = RuntimeError.from(error);
    }
  }

  protected admit({ decoupled }: ServedModel): void {
    if (decoupled) throw new RuntimeError('UNSUPPORTED', DECOUPLED);
    this.#call.onCancelled(this.inference);
  }

  protected accepted(): void {
    // Calls are not counted against each other.
  }

  protected conclude(error: RuntimeError | undefined): RuntimeError | undefined {
    const failure = error ?? this.#error ?? (this.#answer ? undefined : this.noResponse());
    if (failure) this.#call.fail(grpcStatusOf(failure));
    else this.#call.reply(this.#answer!);
    return failure;
  }
}

const DECOUPLED = "ModelInfer RPC doesn't support models with decoupled transaction policy";
