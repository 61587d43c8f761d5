// The calls that a model's code makes to other models, as its thread sees them: each is a message to the main thread, and is answered
// by one.

import { packTensors, unpackTensors } from '../core/packed-tensors.js';
import {
  ModelError,
  type ExecuteContext,
  type InferRequest,
  type InferResponse,
  type ModelContext,
  type ModelErrorCode,
  type ModelRequest,
} from './model-api.js';
import { checkedTensor } from './script-answers.js';
import type { NestedAnswer, ScriptOutput } from './script-protocol.js';
import { ReceivedAnswer } from './script-request.js';
import { rawTensor } from './script-tensors.js';

type InferOutput = Extract<ScriptOutput, { kind: 'infer' }>;

export class ScriptCalls {
  readonly #context: ModelContext;
  readonly #send: (message: InferOutput) => void;
  readonly #waiting = new Map<number, (answer: NestedAnswer) => void>();
  #next = 0;

  constructor(context: ModelContext, send: (message: InferOutput) => void) {
    this.#context = context;
    this.#send = send;
  }

  /** What one call of `execute` is given. */
  contextOf(task: number, requests: readonly ModelRequest[]): ExecuteContext {
    return {
      ...this.#context,
      infer: (asked) => this.#infer(task, requests, asked),
    };
  }

  answered(call: number, answer: NestedAnswer): void {
    this.#waiting.get(call)?.(answer);
    this.#waiting.delete(call);
  }

  // ---- details below; callers need not read ----

  async #infer(
    task: number,
    requests: readonly ModelRequest[],
    asked: InferRequest,
  ): Promise<InferResponse> {
    const call = this.#next++;
    const message = messageOf({ task, call, requests }, asked);
    const answer = await new Promise<NestedAnswer>((resolve) => {
      this.#waiting.set(call, resolve);
      this.#send(message);
    });
    if ('code' in answer)
      throw new ModelError(answer.message, { code: answer.code as ModelErrorCode });
    return new ReceivedAnswer(answer, unpackTensors(answer.tensors)[0]!);
  }
}

// ---- details below; callers need not read ----

function messageOf(
  from: { task: number; call: number; requests: readonly ModelRequest[] },
  asked: InferRequest,
): InferOutput {
  const { model, version = 0, inputs, outputs = [], request } = asked;
  if (typeof model !== 'string' || model === '')
    throw new ModelError(`infer takes the name of a model, got '${model}'`);
  const tensors = Object.entries(inputs).map(([name, tensor]) =>
    rawTensor(name, checkedTensor(tensor, `input '${name}' for model '${model}'`)),
  );
  const index = request ? from.requests.indexOf(request) : -1;
  if (request && index < 0)
    throw new ModelError(
      'infer takes a request of the call of execute that its context belongs to',
    );
  const { task, call } = from;
  const packed = packTensors([tensors]);
  return { kind: 'infer', task, call, request: index, model, version, outputs, tensors: packed };
}
