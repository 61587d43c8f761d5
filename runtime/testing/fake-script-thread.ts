// Stands for the thread of a model in TypeScript (instance/script-thread): the test says what its code does, and when it dies.

import { packTensors } from '../core/packed-tensors.js';
import type { Tensor } from '../core/tensor.js';
import type { ScriptThreadListener } from '../instance/script-thread.js';
import type { ScriptInput, ScriptOutput } from '../worker/script-protocol.js';

type Executing = Extract<ScriptInput, { kind: 'execute' }>;

export class FakeScriptThread {
  static readonly made: FakeScriptThread[] = [];
  /** What it does when it is told to load; undefined: it says so at once. */
  static onLoad: ((thread: FakeScriptThread, task: number) => void) | undefined;
  readonly inputs: ScriptInput[] = [];
  hasEnded = false;
  readonly #listener: ScriptThreadListener;

  constructor(listener: ScriptThreadListener) {
    this.#listener = listener;
    FakeScriptThread.made.push(this);
  }

  static forgetAll(): void {
    FakeScriptThread.made.length = 0;
    FakeScriptThread.onLoad = undefined;
  }

  say(input: ScriptInput): void {
    this.inputs.push(input);
    if (input.kind === 'load' && FakeScriptThread.onLoad) FakeScriptThread.onLoad(this, input.task);
    else if (input.kind === 'load' || input.kind === 'finalize')
      queueMicrotask(() => this.says({ kind: 'done', task: input.task }));
  }

  end(): Promise<void> {
    this.hasEnded = true;
    return Promise.resolve();
  }

  says(output: ScriptOutput): void {
    if (!this.hasEnded) this.#listener.said(output);
  }

  die(reason: unknown = 'it was shot'): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#listener.died(reason);
  }

  /** Batches it has been given, in their order. */
  get batches(): readonly Executing[] {
    return this.inputs.filter((input) => input.kind === 'execute');
  }

  /** `execute` of batch `index` has ended. */
  executed(index: number, answers?: readonly (readonly Tensor[])[]): void {
    const { task, requests } = this.batches[index]!;
    const tensors = packTensors(answers ?? requests.map(() => []));
    const times = { inputMs: 0, inferMs: 1, outputMs: 0 };
    this.says({ kind: 'executed', task, tensors, failures: new Map(), ...times });
  }

  /** `execute` of batch `index` asks model `model`; the answer comes as `answered` with the same `call`. */
  asks(index: number, model: string, call = 0): void {
    const { task } = this.batches[index]!;
    const asked = { model, version: 0, outputs: [], tensors: packTensors([[]]) };
    this.says({ kind: 'infer', task, call, request: -1, ...asked });
  }

  /** Calls to other models of which it has been told the answer. */
  get answered(): readonly number[] {
    return this.inputs.flatMap((input) => (input.kind === 'inferred' ? [input.call] : []));
  }
}
