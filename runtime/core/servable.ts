// The whole architecture: everything that answers inference requests is a Servable, and what changes how one behaves is a
// Layer around it. Schedulers, pipelines and layers implement this one interface; the frontend calls nothing else.
//
//   observe > validate > batch scheduler        is stack([observe, validate], scheduler)

import type { Call } from './call.js';
import { bug, type RuntimeError } from './errors.js';
import type { InferenceRequest, InferenceResponse } from './inference.js';

export interface Servable {
  /**
   * Answers through `reply`, now or later, and never throws. The request and its tensor bytes must not change until the
   * reply has ended.
   */
  infer(request: InferenceRequest, call: Call, reply: Reply): void;
}

/** Any number of responses, then exactly one end. The tensors of a response may be kept; nobody changes them. */
export interface Reply {
  response(response: InferenceResponse): void;
  end(error?: RuntimeError): void;
}

export type Layer = (inner: Servable) => Servable;

/** The first layer is the outermost. */
export function stack(layers: readonly Layer[], servable: Servable): Servable {
  return layers.reduceRight((inner, layer) => layer(inner), servable);
}

/**
 * For callers that want one answer, such as pipelines: resolves with the last response, rejects with the RuntimeError.
 */
export function inferOnce(
  servable: Servable,
  request: InferenceRequest,
  call: Call,
): Promise<InferenceResponse> {
  return new Promise((resolve, reject) => {
    let answer: InferenceResponse | undefined;
    servable.infer(request, call, {
      response: (response) => (answer = response),
      end: (error) => {
        if (error) reject(error);
        else if (answer) resolve(answer);
        else reject(bug(`model '${request.modelName}' ended without a response`));
      },
    });
  });
}
