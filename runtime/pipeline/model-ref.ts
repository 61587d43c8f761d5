// A model by name, as pipelines hold one: it is looked up for every request, so that versions come and go under a pipeline that runs,
// and an unload waits for the legs under way.

import type { Call } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse } from '../core/inference.js';
import type { ModelCatalog, ServableHandle } from '../core/model-catalog.js';
import type { ModelReference } from '../core/pipeline-node.js';
import type { Reply, Servable } from '../core/servable.js';

export class ModelRef implements Servable {
  readonly #catalog: ModelCatalog;
  readonly #version: string;
  readonly #name: string;

  /** Version 0 or less: the latest that is ready. */
  constructor(catalog: ModelCatalog, { name, version }: ModelReference) {
    this.#catalog = catalog;
    this.#name = name;
    this.#version = version > 0 ? String(version) : '';
  }

  /** The request's model name need not be this model's. */
  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    if (call.callers.includes(this.#name)) {
      reply.end(asksItself([...call.callers, this.#name]));
      return;
    }
    let handle: ServableHandle;
    try {
      handle = this.#catalog.acquire(this.#name, this.#version);
    } catch (error) {
      reply.end(RuntimeError.from(error));
      return;
    }
    const asked =
      request.modelName === this.#name ? request : { ...request, modelName: this.#name };
    handle.servable.infer(asked, call, new HeldReply(handle, reply));
  }
}

/** The last of `chain` is one of those whose code has sent the request on: it would never end. */
export function asksItself(chain: readonly string[]): RuntimeError {
  const text = `model '${chain.at(-1)}' would ask itself: ${chain.join(' > ')}`;
  return new RuntimeError('BACKEND_FAILED', text);
}

/** Releases the model when it has answered. */
class HeldReply implements Reply {
  readonly #handle: ServableHandle;
  readonly #reply: Reply;

  constructor(handle: ServableHandle, reply: Reply) {
    this.#handle = handle;
    this.#reply = reply;
  }

  response(response: InferenceResponse): void {
    this.#reply.response(response);
  }

  end(error?: RuntimeError): void {
    this.#handle.release();
    this.#reply.end(error);
  }
}
