// One request of a ModelStreamInfer call, and its place among the others: what a model answers that answers once goes out in the order
// of the requests, what a decoupled model answers goes out as it comes.

import type { Pace } from '../core/call.js';
import type { Deadline } from '../core/deadline.js';
import { RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse } from '../core/inference.js';
import type { ServedModel } from '../core/model-catalog.js';
import { bytesIn } from '../core/tensor.js';
import { grpcStatusOf } from './grpc-status.js';
import type { GrpcCall } from './grpc-transport.js';
import { encodeStreamError, encodeStreamResponse } from './infer-response-encoder.js';
import { ModelInference, type ModelInferenceParts } from './model-inference.js';

/** The stream as its requests see it. */
export interface InferenceStreamPort {
  readonly call: GrpcCall;
  readonly deadline: Deadline;
  readonly pace: Pace;
  /** Errors are told with their status. */
  readonly tellsStatus: boolean;
  /** It costs so many bytes more than it did. */
  grew(inference: StreamedInference, bytes: number): void;
  /** One of the messages of a decoupled model. */
  sendNow(inference: StreamedInference, message: Buffer): void;
  concluded(inference: StreamedInference, failure: RuntimeError | undefined): void;
}

/**
 * Where the answer to a request leaves. It knows nothing of the request: what has been answered waits here for those before it, and
 * its inputs are free by then.
 */
export class StreamTurn {
  /** Nothing holds up the requests behind it any more. */
  isSettled = false;
  /** What leaves: the last message, or the failure with which the stream ends. */
  outcome: Buffer | RuntimeError | undefined;
}

/** What a request costs beside the bytes of its message, about: its objects on the road. */
export const REQUEST_BYTES = 4096;

export class StreamedInference extends ModelInference {
  readonly turn = new StreamTurn();
  /** False: what goes wrong is a refusal, for its model has not taken it. */
  isAccepted = false;
  readonly #stream: InferenceStreamPort;
  #cost: number;
  #isDecoupled = false;
  #answer: Buffer | undefined;
  #error: RuntimeError | undefined;

  constructor(message: Buffer, stream: InferenceStreamPort, parts: ModelInferenceParts) {
    super(stream.call, stream.deadline, parts);
    this.#cost = message.length + REQUEST_BYTES;
    this.#stream = stream;
    this.inference.pace = stream.pace;
  }

  /** What it costs while it is under way. */
  get cost(): number {
    return this.#cost;
  }

  get isDecoupled(): boolean {
    return this.#isDecoupled;
  }

  response(response: InferenceResponse): void {
    let message;
    try {
      message = encodeStreamResponse(this.prepared(response), {
        id: this.id,
        isFinal: !this.#isDecoupled,
      });
    } catch (error) {
      this.#error ??= RuntimeError.from(error);
      return;
    }
    if (this.#isDecoupled) this.#stream.sendNow(this, message);
    else this.#answer = message;
  }

  /** The message that says, after all others, how it ended; undefined for a decoupled model that has no more to say. */
  lastMessage(failure: RuntimeError | undefined): Buffer | undefined {
    if (failure) return this.#errorMessage(failure);
    return this.#isDecoupled ? this.#emptyFinalResponse() : this.#answer;
  }

  protected admit({ decoupled }: ServedModel): void {
    if (!decoupled) return;
    this.#isDecoupled = true;
    this.turn.isSettled = true;
  }

  /** Inputs may be larger than the message: in shared memory, or written with fewer bytes. */
  protected accepted({ inputs }: InferenceRequest): void {
    const bytes = REQUEST_BYTES + bytesIn(inputs);
    const more = bytes - this.#cost;
    if (more <= 0) return;
    this.#cost = bytes;
    this.#stream.grew(this, more);
  }

  protected conclude(error: RuntimeError | undefined): RuntimeError | undefined {
    const isAnswered = this.#isDecoupled || this.#answer !== undefined;
    const failure = error ?? this.#error ?? (isAnswered ? undefined : this.noResponse());
    this.#stream.concluded(this, failure);
    return failure;
  }

  #errorMessage(failure: RuntimeError): Buffer {
    const status = this.#stream.tellsStatus ? grpcStatusOf(failure).code : undefined;
    return encodeStreamError(failure.message, { id: this.id, status });
  }

  /** Only for those who have asked for it, as in Triton. */
  #emptyFinalResponse(): Buffer | undefined {
    const { id } = this;
    if (!this.request!.parameters.enableEmptyFinalResponse) return undefined;
    const { name, version } = this.model!;
    const nothing = { modelName: name, modelVersion: String(version), outputs: [] };
    return encodeStreamResponse(nothing, { id, isFinal: true });
  }
}
