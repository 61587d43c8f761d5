// The instances of a version that is in memory only while it is used (--max-model-memory). To its scheduler it is a runner that
// has no idle instance until they are made: requests wait in the queue, within their deadlines, as they do for busy ones.

import { sessionCount, type InstanceGroupSpec } from '../config/instance-group-config.js';
import type { Clock } from '../core/clock.js';
import { RuntimeError, bug, type ErrorCode } from '../core/errors.js';
import type { BatchFeed, BatchResult } from '../scheduler/batch-runner.js';
import type { Instances } from './instances.js';
import type { MemoryResident, ModelMemory, Stay } from './model-memory.js';

export interface OnDemandParts {
  readonly memory: ModelMemory;
  readonly clock: Clock;
  /** Told of what went wrong while nobody waited for it. */
  readonly trouble: (error: RuntimeError) => void;
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

/** Failures of a load that are not the model's: the next request tries again. */
const PASSING: readonly ErrorCode[] = ['BACKEND_LOST', 'MODEL_NOT_READY'];

/** Instances that are there, and the stay in memory that they are. */
interface Made {
  readonly instances: Instances;
  readonly stay: Stay;
}

export class OnDemandInstances implements Instances, MemoryResident {
  readonly #parts: OnDemandParts;
  readonly #options: OnDemandOptions;
  #groups: readonly InstanceGroupSpec[];
  #made: Made | undefined;
  /** Coming, going and changing happen one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #isWaking = false;
  #isClosed = false;
  /** The scheduler waits for an idle instance. */
  #isAwaited = false;
  #onIdle: () => void = () => undefined;
  #onLost: (error: RuntimeError) => void = () => undefined;
  #onRefused: (error: RuntimeError) => void = () => undefined;
  #running = 0;
  lastUsedAt = 0;

  constructor(parts: OnDemandParts, options: OnDemandOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#groups = options.groups;
  }

  get name(): string {
    return `version ${this.#options.version} of model '${this.#options.modelName}'`;
  }

  get isPinned(): boolean {
    return this.#options.isPinned;
  }

  get isBusy(): boolean {
    return this.#running > 0;
  }

  get bytes(): number {
    return this.#estimate(this.#groups);
  }

  get size(): number {
    return this.#made?.instances.size ?? 0;
  }

  get idle(): number {
    return this.#made?.instances.idle ?? 0;
  }

  async run(feed: BatchFeed): Promise<BatchResult> {
    if (!this.#made) throw bug('a batch was started on a model out of memory');
    this.#running++;
    try {
      return await this.#made.instances.run(feed);
    } finally {
      this.#running--;
      this.lastUsedAt = this.#parts.clock.now();
    }
  }

  onIdle(listener: () => void): void {
    this.#onIdle = listener;
  }

  onLost(listener: (error: RuntimeError) => void): void {
    this.#onLost = listener;
  }

  /** `listener` is told when what waits cannot be served; what comes later may be. */
  onRefused(listener: (error: RuntimeError) => void): void {
    this.#onRefused = listener;
  }

  awaitIdle(): void {
    this.#isAwaited = true;
    if (this.#made) this.#made.instances.awaitIdle();
    else this.#wakeSoon();
  }

  /** Makes the instances if they are not there. @throws RuntimeError */
  wake(): Promise<void> {
    return this.#inTurn(() => this.#make());
  }

  /** Instances as `groups` say are made by the next request, or, of a pinned model, now. */
  update(groups: readonly InstanceGroupSpec[]): Promise<void> {
    return this.#inTurn(async () => {
      this.#parts.memory.check(this, this.#estimate(groups));
      const before = this.#groups;
      await this.#leave();
      this.#groups = groups;
      if (!this.isPinned) return;
      try {
        await this.#make();
      } catch (error) {
        this.#groups = before;
        await this.#make();
        throw error;
      }
    });
  }

  async evict(): Promise<void> {
    await this.#inTurn(() => this.#leave());
    if (this.#isAwaited) this.#wakeSoon();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#inTurn(() => this.#leave());
  }

  // ---- details below; callers need not read ----

  #inTurn(step: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(step);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  #wakeSoon(): void {
    if (this.#isWaking || this.#isClosed) return;
    this.#isWaking = true;
    void this.wake()
      .catch((error: unknown) => this.#notWoken(RuntimeError.from(error)))
      .finally(() => {
        this.#isWaking = false;
        // Put out again before it was told.
        if (this.#isAwaited && !this.#made) this.#wakeSoon();
      });
  }

  #notWoken(error: RuntimeError): void {
    this.#isAwaited = false;
    if (PASSING.includes(error.code)) this.#onRefused(error);
    else this.#onLost(error);
  }

  async #make(): Promise<void> {
    if (this.#made || this.#isClosed) return;
    const { memory, clock } = this.#parts;
    const stay = await this.#admitted();
    let instances: Instances;
    try {
      instances = await this.#options.start(this.#groups);
    } catch (thrown) {
      memory.left(stay);
      throw this.#notLoaded(RuntimeError.from(thrown));
    }
    this.#made = { instances, stay };
    instances.onIdle(() => this.#idle());
    instances.onLost((error) => this.#onLost(error));
    this.#options.resized(instances.size);
    this.lastUsedAt = clock.now();
    this.#idle();
    // Whoever waited has begun by now: it will be used before it can be put out again.
    memory.settled(stay);
  }

  /** That there is no room may change, when a pinned model goes. */
  async #admitted(): Promise<Stay> {
    try {
      return await this.#parts.memory.admit(this);
    } catch (error) {
      throw new RuntimeError('MODEL_NOT_READY', RuntimeError.from(error).message, { cause: error });
    }
  }

  #idle(): void {
    this.#isAwaited = false;
    this.#onIdle();
  }

  /** Waits for what runs. That something went wrong is told: it is out all the same. */
  async #leave(): Promise<void> {
    const made = this.#made;
    if (!made) return;
    const { memory, trouble } = this.#parts;
    this.#made = undefined;
    memory.leaving(made.stay);
    this.#options.resized(0);
    try {
      await made.instances.close();
    } catch (error) {
      trouble(RuntimeError.from(error));
    } finally {
      memory.left(made.stay);
    }
  }

  #notLoaded(error: RuntimeError): RuntimeError {
    const text = `model '${this.#options.modelName}' could not be loaded when it was needed: ${error.message}`;
    return new RuntimeError(error.code, text, { cause: error });
  }

  #estimate(groups: readonly InstanceGroupSpec[]): number {
    return sessionCount(groups) * this.#options.bytesPerInstance;
  }
}
