// One thread that holds sessions: a Piscina of exactly one worker, which keeps the thread alive and replaces it when it dies.
// Piscina's own queue stays empty, because batches are only given to a thread that is free. Groups whose instances share the
// thread take turns: who has waited longest is told first.

import { Piscina } from 'piscina';
import { RuntimeError } from '../core/errors.js';
import type { WorkerInput, WorkerOutput, WorkerSettings } from '../worker/protocol.js';

const WORKER_FILE = new URL('../worker/worker.js', import.meta.url).href;

/** Told when the thread has become free; may take it at once. */
export interface ThreadWaiter {
  threadFree(): void;
}

export class ExecutorThread {
  /** Instances placed here. */
  instances = 0;
  readonly #pool: Piscina<WorkerInput, WorkerOutput>;
  readonly #died: (error: Error) => void;
  readonly #waiters = new Set<ThreadWaiter>();
  #tasks = 0;

  /** `died` is told of every death of the thread. */
  constructor(settings: WorkerSettings, died: (error: Error) => void) {
    this.#pool = new Piscina({
      filename: WORKER_FILE,
      minThreads: 1,
      maxThreads: 1,
      workerData: settings,
      recordTiming: false,
    });
    this.#died = died;
    this.#pool.on('error', died);
  }

  get busy(): boolean {
    return this.#tasks > 0;
  }

  /** `waiter` is told once, when the thread is free; asking twice is asking once. */
  await(waiter: ThreadWaiter): void {
    this.#waiters.add(waiter);
  }

  /** @throws RuntimeError: what the worker reports, or BACKEND_LOST when the thread died */
  async run(input: WorkerInput): Promise<WorkerOutput> {
    this.#tasks++;
    try {
      const transferList = input.kind === 'run' ? [input.buffer] : [];
      return await this.#pool.run(input, { transferList });
    } catch (thrown) {
      const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
      this.#died(cause);
      throw new RuntimeError('BACKEND_LOST', `executor thread failed: ${cause.message}`, { cause });
    } finally {
      this.#tasks--;
      this.#tellWaiters();
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  #tellWaiters(): void {
    for (const waiter of this.#waiters) {
      if (this.busy) return;
      this.#waiters.delete(waiter);
      waiter.threadFree();
    }
  }
}
