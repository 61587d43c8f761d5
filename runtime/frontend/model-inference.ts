// One request between the wire and its model, the same for ModelInfer and ModelStreamInfer: decoded, its model found and held, asked,
// released, and told of. How the answer leaves is left to the two; each keeps one such object per request and nothing else.

import { Call, type Headers, type TraceSource } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import type { Deadline } from '../core/deadline.js';
import { bug, RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse, RequestedOutput } from '../core/inference.js';
import type { ModelCatalog, ServableHandle, ServedModel } from '../core/model-catalog.js';
import type { RequestObserver, RequestTrace } from '../core/request-observer.js';
import type { Reply } from '../core/servable.js';
import { callersTrace } from './callers-trace.js';
import { classify } from './classification.js';
import type { GrpcCall } from './grpc-transport.js';
import {
  completeInferRequest,
  readInferRequest,
  type WireRequest,
} from './infer-request-decoder.js';
import { wantsTimings, withTimings } from './response-timings.js';
import { withOutputsInPlace, type OutputPlaces } from './shared-memory-tensors.js';
import type { SharedMemory } from './shared-memory.js';

export interface ModelInferenceParts {
  readonly catalog: ModelCatalog;
  readonly clock: Clock;
  /** Undefined: nobody wants to know. */
  readonly observer: RequestObserver | undefined;
  readonly sharedMemory: SharedMemory;
}

export abstract class ModelInference implements Reply, TraceSource {
  /** What the model is asked under; to cancel it is to stop waiting. */
  readonly inference: Call;
  readonly #call: Pick<GrpcCall, 'metadata'>;
  readonly #parts: ModelInferenceParts;
  #modelName = '';
  #id = '';
  #request: InferenceRequest | undefined;
  #places: OutputPlaces | undefined;
  #handle: ServableHandle | undefined;
  /** Null: nobody here traces it. */
  #trace: RequestTrace | null | undefined;
  #isEnded = false;

  protected constructor(
    call: Pick<GrpcCall, 'metadata'>,
    deadline: Deadline,
    parts: ModelInferenceParts,
  ) {
    this.#call = call;
    this.#parts = parts;
    this.inference = new Call(parts.clock.now(), deadline);
    this.inference.trace = this;
  }

  /** The model has been found and is asked next. @throws RuntimeError when it cannot be asked by this kind of call */
  protected abstract admit(model: ServedModel): void;

  /** Its request is in order and the model is asked now. */
  protected abstract accepted(request: InferenceRequest): void;

  abstract response(response: InferenceResponse): void;

  /** Answers, and returns what went wrong, which need not be `error`. The model is released after that. */
  protected abstract conclude(error: RuntimeError | undefined): RuntimeError | undefined;

  /** '' until the message has been read. */
  protected get id(): string {
    return this.#id;
  }

  /** Undefined until the model is asked. */
  protected get request(): InferenceRequest | undefined {
    return this.#request;
  }

  /** Undefined until the model has been found. */
  protected get model(): ServedModel | undefined {
    return this.#handle?.model;
  }

  run(message: Buffer): void {
    let wire;
    try {
      wire = readInferRequest(message);
    } catch (thrown) {
      this.end(RuntimeError.from(thrown));
      return;
    }
    this.ask(wire);
  }

  /** What `run` does with the message once it is read. */
  protected ask(wire: WireRequest): void {
    try {
      this.#modelName = wire.modelName;
      this.#id = wire.id;
      this.#handle = this.#parts.catalog.acquire(wire.modelName, wire.modelVersion);
      this.admit(this.#handle.model);
      const { request, places } = completeInferRequest(wire, this.#parts.sharedMemory);
      this.#request = request;
      this.#places = places;
      this.accepted(request);
      // It must not throw; but if it does, the model must not be held for ever.
      this.#handle.servable.infer(request, this.inference, this);
    } catch (thrown) {
      if (this.#isEnded) throw thrown;
      this.end(RuntimeError.from(thrown));
    }
  }

  /** Who does not trace it hands on what its caller said of it. */
  traceHeaders(call: Call): Headers | undefined {
    if (this.#trace === undefined) this.#trace = this.#settledTrace() ?? null;
    return this.#trace ? this.#trace.headersFor(call) : callersTrace(this.#call);
  }

  end(error?: RuntimeError): void {
    this.#isEnded = true;
    const failure = this.conclude(error);
    this.#handle?.release();
    if (this.#parts.observer) this.#tell(this.#parts.observer, failure);
  }

  /** The response with what the request asks for besides the outputs as they are. @throws RuntimeError */
  protected prepared(response: InferenceResponse): InferenceResponse {
    const request = this.#request!;
    let answer = withClasses(response, request.outputs, this.#handle!.model);
    if (wantsTimings(request)) answer = withTimings(answer, this.inference.timings);
    // Whoever has gone may use the memory for something else by now.
    if (!this.#places || this.inference.cancelled) return answer;
    return withOutputsInPlace(answer, this.#places);
  }

  protected noResponse(): RuntimeError {
    return bug(`model '${this.#modelName}' ended without a response`);
  }

  #settledTrace(): RequestTrace | undefined {
    const { observer } = this.#parts;
    if (!observer?.traceOf) return undefined;
    const metadata = (key: string): string | undefined => this.#call.metadata(key);
    return observer.traceOf({ modelName: this.#modelName, metadata });
  }

  #tell(observer: RequestObserver, error: RuntimeError | undefined): void {
    observer.requestFinished({
      modelName: this.#modelName,
      modelVersion: String(this.#handle?.model.version ?? ''),
      id: this.#id,
      timings: this.inference.timings,
      legs: this.inference.legs,
      endedAt: this.#parts.clock.now(),
      error,
      trace: this.#trace,
      metadata: (key) => this.#call.metadata(key),
    });
  }
}

// ---- details below; callers need not read ----

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
