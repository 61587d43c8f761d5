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
import { CallTurns } from './call-turns.js';
import type { NestedAnswer, ScriptOutput } from './script-protocol.js';
import { ReceivedAnswer } from './script-request.js';
import { rawTensor } from './script-tensors.js';
import { shortText } from './short-text.js';

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
    const from: AskingTask = { task, requests, turns: new CallTurns() };
    return {
      ...this.#context,
      infer: (asked) => this.#infer(from, asked),
    };
  }

  answered(call: number, answer: NestedAnswer): void {
    this.#waiting.get(call)?.(answer);
    this.#waiting.delete(call);
  }

  // ---- details below; callers need not read ----

  async #infer(from: AskingTask, asked: InferRequest): Promise<InferResponse> {
    const call = this.#next++;
    // The model may change its arrays while this waits.
    const message = messageOf(from, call, asked);
    await from.turns.begin();
    const answer = await new Promise<NestedAnswer>((resolve) => {
      this.#waiting.set(call, resolve);
      this.#send(message);
    });
    from.turns.end();
    if ('code' in answer)
      throw new ModelError(answer.message, { code: answer.code as ModelErrorCode });
    return new ReceivedAnswer(answer, unpackTensors(answer.tensors)[0]!);
  }
}

// ---- details below; callers need not read ----

/** A call of `execute` that asks. */
interface AskingTask {
  readonly task: number;
  readonly requests: readonly ModelRequest[];
  readonly turns: CallTurns;
}

function messageOf(from: AskingTask, call: number, asked: InferRequest): InferOutput {
  const { model, version = 0, inputs, outputs = [], request } = asked;
  checkAsked(asked);
  const tensors = Object.entries(inputs).map(([name, tensor]) =>
    rawTensor(name, checkedTensor(tensor, `input '${name}' for model '${model}'`)),
  );
  const index = request ? from.requests.indexOf(request) : -1;
  if (request && index < 0)
    throw new ModelError(
      'infer takes a request of the call of execute that its context belongs to',
    );
  const { task } = from;
  const packed = packTensors([tensors]);
  const wanted = { request: index, model, version, outputs: [...outputs] };
  return { kind: 'infer', task, call, ...wanted, tensors: packed };
}

/** What code without types may have got wrong, and what could not be sent to another thread. @throws ModelError */
function checkAsked({
  model,
  version,
  inputs,
  outputs,
}: { readonly [Key in keyof InferRequest]: unknown }): void {
  const wrong = (what: string, got: unknown): ModelError =>
    new ModelError(`infer takes ${what}, got ${shortText(got)}`);
  if (typeof model !== 'string' || model === '') throw wrong('the name of a model', model);
  if (version !== undefined && !isVersion(version))
    throw wrong('a version that is a whole number', version);
  if (typeof inputs !== 'object' || inputs === null) throw wrong('inputs by name', inputs);
  if (outputs !== undefined && !isNames(outputs))
    throw wrong('outputs that are a list of names', outputs);
}

function isVersion(version: unknown): boolean {
  return Number.isSafeInteger(version) && (version as number) >= 0;
}

function isNames(names: unknown): boolean {
  return Array.isArray(names) && names.every((name) => typeof name === 'string');
}
