// The executor threads of the process. They belong to no model: a thread costs some 11 MB and 35 ms, a session in a thread that
// is there 0.16 MB and 0.7 ms, so instances get a thread each while there are few and share them when there are many. As soon
// as it is measured that long batches and short ones share a thread, instances move apart (separation.ts).

import type { Clock } from '../core/clock.js';
import { RuntimeError } from '../core/errors.js';
import type { DescribeOutput, WorkerSettings } from '../worker/protocol.js';
import { ask } from './ask-thread.js';
import { ExecutorThread, type ThreadTenant } from './executor-thread.js';
import { chooseThread } from './placement.js';
import { nextMove } from './separation.js';
import { ThreadGarbage } from './thread-garbage.js';

export interface ExecutorThreadsOptions {
  readonly maxThreads: number;
  readonly settings: WorkerSettings;
  readonly clock: Clock;
  /** Told of every thread that dies. Its tenants have been told before. */
  readonly died: (error: Error) => void;
  /** Told of what went wrong with a session that nobody waits for. */
  readonly trouble?: (error: RuntimeError) => void;
  /** For tests. */
  readonly workerFile?: string;
}

export class ExecutorThreads {
  readonly #options: ExecutorThreadsOptions;
  readonly #threads: ExecutorThread[] = [];
  readonly #garbage: ThreadGarbage;
  #separating: Promise<void> | undefined;
  #closed = false;
  #nextSession = 1;

  constructor(options: ExecutorThreadsOptions) {
    this.#options = options;
    this.#garbage = new ThreadGarbage(options.clock);
  }

  get size(): number {
    return this.#threads.length;
  }

  /** A thread for `tenant`, beside `siblings`, the instances of the same model. To be given back with `leave`. */
  join(tenant: ThreadTenant, siblings: readonly ThreadTenant[]): ExecutorThread {
    const loads = this.#threads.map(({ tenants }) => ({
      instances: tenants.size,
      siblings: siblings.filter((sibling) => tenants.has(sibling)).length,
      long: [...tenants].filter(({ pace }) => pace === 'long').length,
    }));
    const choice = chooseThread(loads, this.#options.maxThreads);
    const thread = choice === 'new' ? this.#start() : this.#threads[choice]!;
    thread.tenants.add(tenant);
    return thread;
  }

  leave(tenant: ThreadTenant, thread: ExecutorThread): void {
    thread.tenants.delete(tenant);
  }

  /** Something went wrong that no caller waits for. */
  trouble(error: unknown): void {
    this.#options.trouble?.(RuntimeError.from(error));
  }

  /** A session on `thread` is gone. */
  sessionReleased(thread: ExecutorThread): void {
    this.#garbage.sessionReleased(thread);
  }

  /** A tenant has been measured anew. */
  paceChanged(): void {
    this.#separating ??= this.#separate()
      .catch((error: unknown) => this.trouble(error))
      .finally(() => (this.#separating = undefined));
  }

  /** What the file of a model declares; undefined where only a session can tell. @throws RuntimeError */
  async describe(modelPath: string): Promise<DescribeOutput['tensors']> {
    const thread =
      this.#threads.find(({ busy }) => !busy) ??
      (this.#threads.length < this.#options.maxThreads ? this.#start() : this.#threads[0]!);
    return (await ask(thread, { kind: 'describe', modelPath }, 'describe')).tensors;
  }

  /** A number no other session of the process has. */
  newSessionId(): number {
    return this.#nextSession++;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.splice(0).map((thread) => thread.close()));
  }

  // ---- details below; callers need not read ----

  #start(): ExecutorThread {
    const { settings, died, workerFile } = this.#options;
    const thread = new ExecutorThread(settings, died, workerFile);
    this.#threads.push(thread);
    return thread;
  }

  /** One move at a time, each decided on what is measured by then. */
  async #separate(): Promise<void> {
    while (!this.#closed) {
      const placed = this.#threads.map(({ tenants }) => [...tenants]);
      const move = nextMove(placed, this.#options.maxThreads);
      if (!move) return;
      await move.tenant.moveTo(move.to === 'new' ? this.#start() : this.#threads[move.to]!);
    }
  }
}
