// The executor threads of the process. They belong to no model: a thread costs some 11 MB and 35 ms, a session in a thread that
// is there 0.16 MB and 0.7 ms, so instances get a thread each while there are few and share them when there are many.

import type { WorkerSettings } from '../worker/protocol.js';
import { ExecutorThread } from './executor-thread.js';
import { chooseThread } from './placement.js';

export class ExecutorThreads {
  readonly #maxThreads: number;
  readonly #settings: WorkerSettings;
  readonly #threads: ExecutorThread[] = [];
  readonly #died: (error: Error) => void;
  #nextSession = 1;

  /** `died` is told of every thread that dies. Its instances are gone and say so when they are asked. */
  constructor(maxThreads: number, settings: WorkerSettings, died: (error: Error) => void) {
    this.#maxThreads = maxThreads;
    this.#settings = settings;
    this.#died = died;
  }

  get size(): number {
    return this.#threads.length;
  }

  /** A thread for one more instance, beside `siblings` of the same model. Give it back with `leave`. */
  join(siblings: readonly ExecutorThread[]): ExecutorThread {
    const loads = this.#threads.map((thread) => ({
      instances: thread.instances,
      siblings: siblings.filter((sibling) => sibling === thread).length,
    }));
    const choice = chooseThread(loads, this.#maxThreads);
    if (choice === 'new') this.#threads.push(new ExecutorThread(this.#settings, this.#died));
    const thread = choice === 'new' ? this.#threads.at(-1)! : this.#threads[choice]!;
    thread.instances++;
    return thread;
  }

  leave(thread: ExecutorThread): void {
    thread.instances--;
  }

  /** A number no other session of the process has. */
  newSessionId(): number {
    return this.#nextSession++;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.close()));
  }
}
