// A BoundRunner whose instances run batches until they are told to end, and die when the test says so.

import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import type {
  BoundInstance,
  BoundRunner,
  ScriptBatch,
  ScriptResult,
} from '../scheduler/script-runner.js';

interface Running {
  readonly batch: ScriptBatch;
  readonly resolve: (result: ScriptResult) => void;
  readonly reject: (error: RuntimeError) => void;
}

export class PuppetInstance implements BoundInstance {
  isLost = false;
  /** How often it has been lost. */
  losses = 0;
  /** Every batch ever started. */
  readonly started: ScriptBatch[] = [];
  /** `losses` when it was started. */
  readonly startedIn = new Map<ScriptBatch, number>();
  readonly forgotten: number[] = [];
  readonly #running: Running[] = [];
  readonly #awaited: () => void;

  constructor(awaited: () => void) {
    this.#awaited = awaited;
  }

  get idle(): number {
    return this.isLost ? 0 : 1 - this.#running.length;
  }

  get isBusy(): boolean {
    return this.#running.length > 0;
  }

  run(batch: ScriptBatch): Promise<ScriptResult> {
    if (this.idle === 0) throw new Error('a batch was started while the instance was busy');
    this.started.push(batch);
    this.startedIn.set(batch, this.losses);
    return new Promise((resolve, reject) => this.#running.push({ batch, resolve, reject }));
  }

  awaitIdle(): void {
    this.#awaited();
  }

  forget(serial: number): void {
    this.forgotten.push(serial);
  }

  /** Ends its batch, with each request's inputs as its outputs unless `answers` says otherwise. */
  end(answers?: readonly (readonly Tensor[] | RuntimeError)[]): void {
    const { batch, resolve } = this.#running.shift()!;
    const echoed = batch.entries.map(({ request }) => request.inputs);
    resolve({ answers: answers ?? echoed, inputMs: 0, inferMs: 1, outputMs: 0 });
  }

  fail(code: 'BACKEND_FAILED' | 'BACKEND_LOST', message = 'no'): void {
    this.#running.shift()?.reject(new RuntimeError(code, message));
  }
}

export class PuppetInstances implements BoundRunner {
  instances: readonly PuppetInstance[];
  readonly retired: BoundInstance[] = [];
  /** They serve the sequences that they have. */
  leaving: readonly PuppetInstance[] = [];
  #onIdle: () => void = () => undefined;
  #onLost: (instance: BoundInstance) => void = () => undefined;
  #isAwaited = false;

  constructor(count: number) {
    this.instances = Array.from({ length: count }, () => this.#create());
  }

  get all(): readonly PuppetInstance[] {
    return [...this.instances, ...this.leaving];
  }

  get idle(): number {
    return this.all.reduce((sum, { idle }) => sum + idle, 0);
  }

  onIdle(listener: () => void): void {
    this.#onIdle = listener;
  }

  awaitIdle(): void {
    this.#isAwaited = true;
  }

  onInstanceLost(listener: (instance: BoundInstance) => void): void {
    this.#onLost = listener;
  }

  retire(instance: BoundInstance): void {
    this.leaving = this.leaving.filter((it) => it !== instance);
    this.retired.push(instance);
  }

  /** As the real one: whoever waits is told before the results are handled. */
  async end(at: number, answers?: Parameters<PuppetInstance['end']>[0]): Promise<void> {
    this.all[at]!.end(answers);
    await this.#settle();
  }

  async fail(at: number, message?: string): Promise<void> {
    this.all[at]!.fail('BACKEND_FAILED', message);
    await this.#settle();
  }

  /** As the real one: what runs is rejected, and then the loss is told. */
  async lose(at: number): Promise<void> {
    const instance = this.all[at]!;
    instance.isLost = true;
    instance.losses++;
    instance.fail('BACKEND_LOST', 'its thread has ended');
    this.#onLost(instance);
    await this.#settle();
  }

  async bringBack(at: number): Promise<void> {
    this.all[at]!.isLost = false;
    await this.#settle();
  }

  /** There are that many instances; the scheduler is to be told. */
  resize(count: number): void {
    this.leaving = [...this.leaving, ...this.instances.slice(count)];
    const more = Array.from({ length: Math.max(count - this.instances.length, 0) }, () =>
      this.#create(),
    );
    this.instances = [...this.instances.slice(0, count), ...more];
  }

  #create(): PuppetInstance {
    return new PuppetInstance(() => this.awaitIdle());
  }

  async #settle(): Promise<void> {
    if (this.#isAwaited && this.idle > 0) {
      this.#isAwaited = false;
      this.#onIdle();
    }
    for (let i = 0; i < 8; i++) await Promise.resolve();
  }
}
