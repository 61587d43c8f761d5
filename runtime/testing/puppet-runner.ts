// A BatchRunner that runs batches when it is told to, and computes OUTPUT = INPUT for every tensor, or what the test computes.

import { RuntimeError } from '../core/errors.js';
import type { BatchFeed, BatchResult, BatchRunner } from '../scheduler/batch-runner.js';

interface Running {
  readonly feed: BatchFeed;
  readonly resolve: (result: BatchResult) => void;
  readonly reject: (error: RuntimeError) => void;
}

export class PuppetRunner implements BatchRunner {
  /** Every batch ever started. */
  readonly started: BatchFeed[] = [];
  readonly #instances: number;
  readonly #compute: (feed: BatchFeed) => BatchResult;
  readonly #running: Running[] = [];
  #onIdle: () => void = () => undefined;
  #awaited = false;

  constructor(instances = 1, compute: (feed: BatchFeed) => BatchResult = echo) {
    this.#instances = instances;
    this.#compute = compute;
  }

  get idle(): number {
    return this.#instances - this.#running.length;
  }

  get isBusy(): boolean {
    return this.#running.length > 0;
  }

  /** Rows of the batches started so far. */
  get startedRows(): number[] {
    return this.started.map(({ rows }) => rows);
  }

  run(feed: BatchFeed): Promise<BatchResult> {
    if (this.idle === 0) throw new Error('a batch was started while the runner was busy');
    this.started.push(feed);
    return new Promise((resolve, reject) => this.#running.push({ feed, resolve, reject }));
  }

  onIdle(listener: () => void): void {
    this.#onIdle = listener;
  }

  awaitIdle(): void {
    this.#awaited = true;
  }

  /** Ends the oldest running batch well. */
  async release(): Promise<void> {
    const { feed, resolve } = this.#take();
    resolve(this.#compute(feed));
    await this.#settle();
  }

  /** Ends the batch well that was started last. */
  async releaseLast(): Promise<void> {
    const last = this.#running.pop();
    if (last) this.#running.unshift(last);
    await this.release();
  }

  /** Ends the oldest running batch with an error. */
  async fail(
    code: 'BACKEND_FAILED' | 'BACKEND_LOST' = 'BACKEND_FAILED',
    message = 'no',
  ): Promise<void> {
    this.#take().reject(new RuntimeError(code, message));
    await this.#settle();
  }

  async releaseAll(): Promise<void> {
    while (this.#running.length > 0) await this.release();
  }

  #take(): Running {
    const running = this.#running.shift();
    if (!running) throw new Error('no batch is running');
    return running;
  }

  /** As the real one: whoever waits is told before the results are handled. */
  async #settle(): Promise<void> {
    if (this.#awaited) {
      this.#awaited = false;
      this.#onIdle();
    }
    // Lets the promises of the batch run their course.
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }
}

/** One output per input, with the same bytes. */
export function echo({ buffer, tensors }: BatchFeed): BatchResult {
  const outputs = tensors.map(({ byteOffset, byteLength, shape }) => ({
    shape,
    data: new Uint8Array(buffer, byteOffset, byteLength),
  }));
  return { outputs, inputMs: 0.1, inferMs: 1, outputMs: 0.2 };
}
