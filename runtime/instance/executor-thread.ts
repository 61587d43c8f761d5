// One thread that holds sessions: a Piscina of exactly one worker, which keeps the thread alive and replaces it when it dies.
// Batches are only given to a thread that is free, so that none waits in Piscina's own queue; loads, releases and the like do.
// Groups whose instances share the thread take turns: who has waited longest is told first.

import { Piscina } from 'piscina';
import { RuntimeError } from '../core/errors.js';
import type { WorkerInput, WorkerOutput, WorkerSettings } from '../worker/protocol.js';
import type { Pace } from './batch-pace.js';

const WORKER_FILE = new URL('../worker/worker.js', import.meta.url).href;

/**
 * Tensors lie outside of the heap, so what a thread makes of it is small; with V8's default of 48 each thread would in time keep as
 * many MB of it, empty.
 */
const YOUNG_GENERATION_MB = 4;

/** Told when the thread has become free; may take it at once. */
export interface ThreadWaiter {
  threadFree(): void;
}

/** What is placed on a thread, as the thread and those who place see it. */
export interface ThreadTenant {
  /** Of its batches. */
  readonly pace: Pace;
  /** False while its session is not there, and once a move has failed. */
  readonly canMove: boolean;
  /**
   * The thread died, and with it whatever the tenant had there. The thread itself is being replaced and must not be used
   * before the next turn of the event loop.
   */
  threadLost(thread: ExecutorThread): void;
  /** Makes its session on `thread`, goes there, and gives up the old one. Resolves when that is done or has failed. */
  moveTo(thread: ExecutorThread): Promise<void>;
}

/** The thread died while it was busy with what was asked. */
export class ThreadDied extends RuntimeError {
  constructor(cause: Error, what = 'executor thread failed') {
    super('BACKEND_LOST', `${what}: ${cause.message}`, { cause });
  }
}

export class ExecutorThread {
  /** The instances placed here. */
  readonly tenants = new Set<ThreadTenant>();
  readonly #settings: WorkerSettings;
  readonly #workerFile: string;
  readonly #died: (error: Error) => void;
  readonly #waiters = new Set<ThreadWaiter>();
  /** Undefined after it has given up: it starts no worker any more once one has died while starting. */
  #pool: Piscina<WorkerInput, WorkerOutput> | undefined;
  #tasks = 0;
  /** Why the worker that is just being replaced died, where that is known. */
  #cause: Error | undefined;
  #closed = false;

  /** `died` is told of every death of the thread. `workerFile` is for tests. */
  constructor(settings: WorkerSettings, died: (error: Error) => void, workerFile = WORKER_FILE) {
    this.#settings = settings;
    this.#died = died;
    this.#workerFile = workerFile;
    this.#pool = this.#newPool();
  }

  get busy(): boolean {
    return this.#tasks > 0;
  }

  /** `waiter` is told once, when the thread is free; asking twice is asking once. */
  await(waiter: ThreadWaiter): void {
    this.#waiters.add(waiter);
  }

  /** @throws ThreadDied */
  async run(input: WorkerInput): Promise<WorkerOutput> {
    this.#tasks++;
    try {
      const transferList = input.kind === 'run' ? [input.buffer] : [];
      this.#pool ??= this.#newPool();
      return await this.#pool.run(input, { transferList });
    } catch (thrown) {
      const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
      this.#cause = cause;
      throw new ThreadDied(cause);
    } finally {
      this.#tasks--;
      this.#tellWaiters();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool?.destroy();
  }

  // ---- details below; callers need not read ----

  #newPool(): Piscina<WorkerInput, WorkerOutput> {
    const pool = new Piscina<WorkerInput, WorkerOutput>({
      filename: this.#workerFile,
      minThreads: 1,
      maxThreads: 1,
      workerData: this.#settings,
      recordTiming: false,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    pool.on('error', (error: Error) => (this.#cause = error));
    pool.on('workerDestroy', () => this.#replaced(pool));
    return pool;
  }

  /** Piscina is in the middle of replacing the worker; the error that tells why comes after this event, if at all. */
  #replaced(pool: Piscina<WorkerInput, WorkerOutput>): void {
    if (this.#closed || pool !== this.#pool) return;
    for (const tenant of [...this.tenants]) tenant.threadLost(this);
    setImmediate(() => {
      this.#died(this.#cause ?? new Error('it ended by itself'));
      this.#cause = undefined;
      if (pool.threads.length === 0 && pool === this.#pool) this.#giveUp(pool);
    });
  }

  /** What waits in it is rejected; the next task starts another one. */
  #giveUp(pool: Piscina<WorkerInput, WorkerOutput>): void {
    this.#pool = undefined;
    pool.destroy().catch((error: unknown) => this.#died(RuntimeError.from(error)));
  }

  #tellWaiters(): void {
    // Who is told and asks again waits for the next time: the set would go on for ever.
    let rest = this.#waiters.size;
    for (const waiter of this.#waiters) {
      if (this.busy || rest-- === 0) return;
      this.#waiters.delete(waiter);
      waiter.threadFree();
    }
  }
}
