// One instance: a session on an executor thread, told by messages.

import { RuntimeError, bug } from '../core/errors.js';
import type { BatchFeed, BatchResult } from '../scheduler/batch-runner.js';
import type { LoadInput, LoadOutput, WorkerInput, WorkerOutput } from '../worker/protocol.js';
import type { ExecutorThread } from './executor-thread.js';

export class ModelInstance {
  readonly thread: ExecutorThread;
  readonly #session: number;
  /** Its thread died and the session with it. */
  isLost = false;

  constructor(thread: ExecutorThread, session: number) {
    this.thread = thread;
    this.#session = session;
  }

  /** A batch would start at once. An instance never runs without its thread being busy. */
  get idle(): boolean {
    return !this.thread.busy;
  }

  async load(input: Omit<LoadInput, 'kind' | 'session'>): Promise<LoadOutput> {
    return this.#ask({ kind: 'load', session: this.#session, ...input }, 'load');
  }

  async bind(inputs: readonly string[], outputs: readonly string[]): Promise<void> {
    await this.#ask({ kind: 'bind', session: this.#session, inputs, outputs }, 'done');
  }

  run({ buffer, tensors: inputs }: BatchFeed): Promise<BatchResult> {
    return this.#ask({ kind: 'run', session: this.#session, buffer, inputs }, 'run');
  }

  async release(): Promise<void> {
    await this.#ask({ kind: 'release', session: this.#session }, 'done');
  }

  async #ask<Kind extends WorkerOutput['kind']>(
    input: WorkerInput,
    kind: Kind,
  ): Promise<Extract<WorkerOutput, { kind: Kind }>> {
    const output = await this.#answer(input);
    if (output.kind === 'error') throw new RuntimeError(output.code, output.message);
    if (output.kind !== kind) throw bug(`a thread answered '${input.kind}' with '${output.kind}'`);
    return output as Extract<WorkerOutput, { kind: Kind }>;
  }

  async #answer(input: WorkerInput): Promise<WorkerOutput> {
    try {
      const output = await this.thread.run(input);
      if (output.kind === 'error' && output.code === 'BACKEND_LOST') this.isLost = true;
      return output;
    } catch (error) {
      this.isLost = true;
      throw error;
    }
  }
}
