// ModelInfer as a caller sees it, on a model that answers when the test says so.

import { expect } from 'vitest';
import type { Call } from '../core/call.js';
import type { RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse } from '../core/inference.js';
import type { ServedModel } from '../core/model-catalog.js';
import type { RequestObserver } from '../core/request-observer.js';
import type { Reply, Servable } from '../core/servable.js';
import type { Tensor } from '../core/tensor.js';
import { messageCodec, type Message } from '../frontend/message-codec.js';
import { modelInferMethod } from '../frontend/model-infer.js';
import type { ModelInferenceParts } from '../frontend/model-inference.js';
import { SharedMemory } from '../frontend/shared-memory.js';
import { FakeCatalog, aServedModel } from './fake-catalog.js';
import { FakeClock } from './fake-clock.js';
import { FakeUnaryCall, type FakeCallOptions } from './fake-grpc-call.js';

const requests = messageCodec('inference.ModelInferRequest');
const responses = messageCodec('inference.ModelInferResponse');

/** A model that is asked once and answers when the test says so. */
export class PuppetServable implements Servable {
  request: InferenceRequest | undefined;
  call: Call | undefined;
  #reply: Reply | undefined;

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    if (this.request) throw new Error('the model is asked twice');
    this.request = request;
    this.call = call;
    this.#reply = reply;
  }

  respond(...outputs: Tensor[]): void {
    this.#reply!.response(aResponse(outputs));
  }

  end(error?: RuntimeError): void {
    this.#reply!.end(error);
  }
}

export function aResponse(outputs: readonly Tensor[]): InferenceResponse {
  return { modelName: 'm', modelVersion: '1', outputs };
}

/** A request for model m that is in order, unless `overrides` spoil it. */
export function aMessage(overrides: Message = {}): Buffer {
  return requests.encode({
    model_name: 'm',
    id: 'r1',
    inputs: [{ name: 'INPUT0', datatype: 'FP32', shape: [1, 2] }],
    raw_input_contents: [Buffer.alloc(8, 1)],
    ...overrides,
  });
}

export function aRoad(catalog: FakeCatalog): ModelInferenceParts {
  return {
    catalog,
    clock: new FakeClock(),
    observer: undefined,
    sharedMemory: new SharedMemory(),
  };
}

export interface Asked {
  readonly call: FakeUnaryCall;
  readonly catalog: FakeCatalog;
  readonly model: PuppetServable;
  readonly clock: FakeClock;
}

export function askModel(
  message: Buffer,
  {
    serving = aServedModel(),
    options = {},
    observer,
    sharedMemory = new SharedMemory(),
  }: {
    serving?: ServedModel;
    options?: FakeCallOptions;
    observer?: RequestObserver;
    sharedMemory?: SharedMemory;
  } = {},
): Asked {
  const model = new PuppetServable();
  const catalog = new FakeCatalog().serve(serving, model);
  const clock = new FakeClock();
  const call = new FakeUnaryCall(message, options);
  const method = modelInferMethod({ catalog, clock, observer, sharedMemory });
  if (method.kind !== 'unary') throw new Error('ModelInfer is not unary');
  method.handle(call);
  return { call, catalog, model, clock };
}

/** The message that was sent back, and that it was the only thing. */
export function replyTo({ call }: Asked): Message {
  expect(call.failures).toEqual([]);
  expect(call.replies).toHaveLength(1);
  return responses.decode(call.replies[0]!);
}
