// ModelStreamInfer as a caller sees it, on models that answer when the test says so.

import type { Call } from '../core/call.js';
import type { RuntimeError } from '../core/errors.js';
import type { InferenceRequest } from '../core/inference.js';
import type { RequestObserver } from '../core/request-observer.js';
import type { Reply, Servable } from '../core/servable.js';
import type { Tensor } from '../core/tensor.js';
import { messageCodec, type Message } from '../frontend/message-codec.js';
import { SharedMemory } from '../frontend/shared-memory.js';
import { modelStreamInferMethod } from '../frontend/model-stream-infer.js';
import { aResponse } from './ask-model.js';
import { aTensor } from './build.js';
import { FakeCatalog, aServedModel } from './fake-catalog.js';
import { FakeClock } from './fake-clock.js';
import { FakeHealth } from './fake-health.js';
import { FakeStreamCall, type FakeCallOptions } from './fake-grpc-call.js';

const responses = messageCodec('inference.ModelStreamInferResponse');

/** One request that a model has been asked. */
export class Asking {
  readonly request: InferenceRequest;
  readonly call: Call;
  readonly #reply: Reply;

  constructor(request: InferenceRequest, call: Call, reply: Reply) {
    this.request = request;
    this.call = call;
    this.#reply = reply;
  }

  respond(...outputs: Tensor[]): void {
    this.#reply.response(aResponse(outputs));
  }

  end(error?: RuntimeError): void {
    this.#reply.end(error);
  }

  /** One response, and the end. */
  answer(values: readonly number[] = [1, 2]): void {
    this.respond(aTensor('OUTPUT0', [1, values.length], values));
    this.end();
  }
}

/** A model that is asked any number of times, or refuses what `refuse` names, by id, at once. */
export class PuppetModel implements Servable {
  readonly asked: Asking[] = [];
  readonly refusals = new Map<string, RuntimeError>();

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    const refusal = this.refusals.get(request.id);
    if (refusal) reply.end(refusal);
    else this.asked.push(new Asking(request, call, reply));
  }

  /** What was asked under that id. */
  at(id: string): Asking {
    const found = this.asked.find(({ request }) => request.id === id);
    if (!found) throw new Error(`nothing was asked under '${id}'`);
    return found;
  }
}

export interface OpenStream {
  readonly call: FakeStreamCall;
  /** Serves model m, which answers once. */
  readonly model: PuppetModel;
  /** Serves model many, which is decoupled. */
  readonly decoupled: PuppetModel;
  readonly catalog: FakeCatalog;
  readonly health: FakeHealth;
  readonly clock: FakeClock;
  readonly sharedMemory: SharedMemory;
}

export function openStream(options: FakeCallOptions = {}, observer?: RequestObserver): OpenStream {
  const [model, decoupled] = [new PuppetModel(), new PuppetModel()];
  const catalog = new FakeCatalog()
    .serve(aServedModel(), model)
    .serve(aServedModel({ name: 'many', decoupled: true }), decoupled);
  const [health, clock] = [new FakeHealth(), new FakeClock()];
  const call = new FakeStreamCall(options);
  const sharedMemory = new SharedMemory();
  const method = modelStreamInferMethod({ catalog, clock, observer, sharedMemory }, health);
  if (method.kind !== 'stream') throw new Error('ModelStreamInfer is no stream');
  method.handle(call);
  return { call, model, decoupled, catalog, health, clock, sharedMemory };
}

/** What was sent, decoded. */
export function sentOn({ call }: OpenStream): Message[] {
  return call.sent.map((message) => responses.decode(message));
}

/** What was sent, in short: the id of an answer, "id: text" of an error, "id…" where more may follow. */
export function storyOf(stream: OpenStream): string[] {
  return sentOn(stream).map((message) => {
    const { id, parameters } = message['infer_response'] as {
      id: string;
      parameters: Record<string, { bool_param: boolean }>;
    };
    if (message['error_message'] !== '') return `${id}: ${String(message['error_message'])}`;
    return parameters['triton_final_response']!.bool_param ? id : `${id}…`;
  });
}
