// A batch as the thread of a model is told of it, and its answers as they come back.

import { RuntimeError } from '../core/errors.js';
import { unpackTensors } from '../core/packed-tensors.js';
import type { ScriptBatch, ScriptResult } from '../scheduler/script-runner.js';
import type { ExecutedOutput, ScriptRequest, ScriptToLoad } from '../worker/script-protocol.js';

export function scriptRequestOf(
  { request, rows }: ScriptBatch['entries'][number],
  { outputs }: ScriptToLoad,
): ScriptRequest {
  const wanted = request.outputs.length > 0 ? request.outputs : outputs;
  const { id, parameters } = request;
  return { id, rows, parameters: parameters.custom, outputs: wanted.map(({ name }) => name) };
}

/** What has failed is an error in place of its outputs. */
export function resultOf({ tensors, failures, ...times }: ExecutedOutput): ScriptResult {
  const { inputMs, inferMs, outputMs } = times;
  const answers = unpackTensors(tensors).map((outputs, index) => {
    const failure = failures.get(index);
    return failure ? new RuntimeError(failure.code, failure.message) : outputs;
  });
  return { answers, inputMs, inferMs, outputMs };
}
