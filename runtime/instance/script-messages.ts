// A batch as the thread of a model is told of it, and its answers as they come back.

import { RuntimeError } from '../core/errors.js';
import { packTensors, unpackTensors } from '../core/packed-tensors.js';
import type { ScriptBatch, ScriptEntry, ScriptResult } from '../scheduler/script-runner.js';
import type {
  ExecutedOutput,
  ScriptInput,
  ScriptRequest,
  ScriptToLoad,
} from '../worker/script-protocol.js';

export type ExecuteInput = Omit<Extract<ScriptInput, { kind: 'execute' }>, 'task'>;

/** @throws RangeError when it is too much for one buffer */
export function executeInput({ entries }: ScriptBatch, script: ScriptToLoad): ExecuteInput {
  return {
    kind: 'execute',
    requests: entries.map((entry) => requestOf(entry, script)),
    tensors: packTensors(entries.map(({ request }) => request.inputs)),
  };
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

/** The answers of a stream have left one by one. */
export function streamResult(inferMs: number): ScriptResult {
  return { answers: [], inputMs: 0, inferMs, outputMs: 0 };
}

// ---- details below; callers need not read ----

function requestOf(
  { request, rows, sequence }: ScriptEntry,
  { outputs }: ScriptToLoad,
): ScriptRequest {
  const wanted = request.outputs.length > 0 ? request.outputs : outputs;
  const outputNames = wanted.map(({ name }) => name);
  const { id, parameters } = request;
  return { id, rows, parameters: parameters.custom, outputs: outputNames, sequence };
}
