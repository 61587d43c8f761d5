// What the code of a model asks another model, on the main thread: under the call of those who wait for it, and answered by a message,
// whatever becomes of it.

import { RuntimeError } from '../core/errors.js';
import type { OtherModels } from '../core/other-models.js';
import { packTensors, unpackTensors } from '../core/packed-tensors.js';
import type { NestedAnswer, ScriptOutput } from '../worker/script-protocol.js';
import type { ScriptTask } from './script-task.js';

export type NestedAsk = Extract<ScriptOutput, { kind: 'infer' }>;

/** `task`: for which it is asked; undefined: that has ended. Never rejects. */
export async function nestedAnswer(
  others: OtherModels,
  asked: NestedAsk,
  task: ScriptTask | undefined,
): Promise<NestedAnswer> {
  const { request, model: name, version, outputs } = asked;
  try {
    if (!task?.batch) throw new RuntimeError('BACKEND_FAILED', ENDED);
    const { parent, callers } = task.scope(request);
    const inputs = unpackTensors(asked.tensors)[0]!;
    const response = await others.ask({ name, version, inputs, outputs }, parent, callers);
    const tensors = packTensors([response.outputs]);
    return { model: response.modelName, version: Number(response.modelVersion), tensors };
  } catch (thrown) {
    const { code, message } = RuntimeError.from(thrown);
    return { code, message };
  }
}

// ---- details below; callers need not read ----

const ENDED = 'another model was asked after the call of execute had ended';
