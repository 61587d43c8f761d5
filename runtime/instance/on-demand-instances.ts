// The instances of a version that is in memory only while it is used (--max-model-memory). To its scheduler it is a runner that
// has no idle instance until they are made: requests wait in the queue, within their deadlines, as they do for busy ones.

import type { InstanceGroupSpec } from '../config/instance-group-config.js';
import type { Clock } from '../core/clock.js';
import { RuntimeError, bug } from '../core/errors.js';
import type { BatchFeed, BatchResult } from '../scheduler/batch-runner.js';
import type { Instances } from './instances.js';
import type { MemoryResident, ModelMemory } from './model-memory.js';

export interface OnDemandParts {
  readonly memory: ModelMemory;
  readonly clock: Clock;
}

export interface OnDemandOptions {
  readonly modelName: string;
  readonly version: number;
  readonly isPinned: boolean;
  /** An estimate of what one instance takes. */
  readonly bytesPerInstance: number;
  readonly groups: readonly InstanceGroupSpec[];
  /** Makes the instances, ready to run. */
  readonly start: (groups: readonly InstanceGroupSpec[]) => Promise<Instances>;
  /** Told of the number of instances whenever it changes. */
  readonly resized: (instances: number) => void;
}

export class OnDemandInstances implements Instances, MemoryResident {
  readonly #parts: OnDemandParts;
  readonly #options: OnDemandOptions;
  #groups: readonly InstanceGroupSpec[];
  #made: Instances | undefined;
  #waking: Promise<void> | undefined;
  #isClosed = false;
  /** The scheduler waits for an idle instance. */
  #isAwaited = false;
  #onIdle: () => void = () => undefined;
  #onLost: (error: RuntimeError) => void = () => undefined;
  #bytes: number;
  lastUsedAt = 0;

  constructor(parts: OnDemandParts, options: OnDemandOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#groups = options.groups;
    this.#bytes = this.#estimate(options.groups);
  }

  get name(): string {
    return `version ${this.#options.version} of model '${this.#options.modelName}'`;
  }

  get isPinned(): boolean {
    return this.#options.isPinned;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#made?.size ?? 0;
  }

  get idle(): number {
    return this.#made?.idle ?? 0;
  }

  run(feed: BatchFeed): Promise<BatchResult> {
    if (!this.#made) return Promise.reject(bug('a batch was started on a model out of memory'));
    this.lastUsedAt = this.#parts.clock.now();
    return this.#made.run(feed);
  }

  onIdle(listener: () => void): void {
    this.#onIdle = listener;
  }

  onLost(listener: (error: RuntimeError) => void): void {
    this.#onLost = listener;
  }

  awaitIdle(): void {
    this.#isAwaited = true;
    if (this.#made) this.#made.awaitIdle();
    else void this.wake();
  }

  /** Resolves when the instances are there, or cannot be had, which onLost tells. */
  wake(): Promise<void> {
    this.#waking ??= this.#wake().finally(() => (this.#waking = undefined));
    return this.#waking;
  }

  /** The next request makes instances as `groups` say. */
  async update(groups: readonly InstanceGroupSpec[]): Promise<void> {
    const bytes = this.#estimate(groups);
    this.#parts.memory.check(this, bytes);
    await this.#waking;
    await this.#leave();
    this.#groups = groups;
    this.#bytes = bytes;
    if (this.#isAwaited || this.isPinned) await this.wake();
  }

  async evict(): Promise<void> {
    await this.#leave();
    if (this.#isAwaited && !this.#isClosed) void this.wake();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#waking;
    await this.#leave();
  }

  // ---- details below; callers need not read ----

  async #wake(): Promise<void> {
    const { memory, clock } = this.#parts;
    let made: Instances;
    try {
      await memory.admit(this);
    } catch (error) {
      this.#onLost(RuntimeError.from(error));
      return;
    }
    try {
      made = await this.#options.start(this.#groups);
    } catch (thrown) {
      memory.left(this);
      this.#onLost(this.#notLoaded(RuntimeError.from(thrown)));
      return;
    }
    made.onIdle(() => this.#idle());
    made.onLost((error) => this.#onLost(error));
    this.#made = made;
    this.#options.resized(made.size);
    this.lastUsedAt = clock.now();
    this.#idle();
    // Whoever waited has begun by now: it will be used before it can be put out again.
    memory.settled(this);
  }

  #idle(): void {
    this.#isAwaited = false;
    this.#onIdle();
  }

  /** Waits for what runs. */
  async #leave(): Promise<void> {
    const made = this.#made;
    if (!made) return;
    this.#made = undefined;
    this.#options.resized(0);
    try {
      await made.close();
    } finally {
      this.#parts.memory.left(this);
    }
  }

  #notLoaded(error: RuntimeError): RuntimeError {
    const text = `model '${this.#options.modelName}' could not be loaded when it was needed: ${error.message}`;
    return new RuntimeError(error.code, text, { cause: error });
  }

  #estimate(groups: readonly InstanceGroupSpec[]): number {
    const instances = groups.reduce(
      (sum, { count, gpus }) => sum + count * Math.max(gpus.length, 1),
      0,
    );
    return instances * this.#options.bytesPerInstance;
  }
}
