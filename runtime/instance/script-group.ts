// The instances of one version of a model written in TypeScript, as one runner. A batch goes to the instance that runs the fewest; where
// resources are limited, to the one that has run least. They share no thread with each other or with other models: whatever the code
// does to its thread, nobody else pays for it.

import type { InstanceGroupSpec } from '../config/instance-group-config.js';
import { RuntimeError, bug } from '../core/errors.js';
import type {
  BoundRunner,
  ScriptBatch,
  ScriptResult,
  ScriptRunner,
} from '../scheduler/script-runner.js';
import type { ThreadDied } from './executor-thread.js';
import { InstanceRecovery } from './instance-recovery.js';
import type { Instances } from './instances.js';
import type { ClaimedResources, RateLimiter } from './rate-limiter.js';
import { ScriptInstance, type ScriptInstanceParts, type ScriptKeeper } from './script-instance.js';

export interface ScriptGroupParts extends ScriptInstanceParts {
  readonly groups: readonly InstanceGroupSpec[];
  /** Undefined: resources are not looked at. */
  readonly limiter?: RateLimiter | undefined;
  /** Sequences stay with their instance: one that is to go serves its own until the scheduler says that there are none. */
  readonly isBound: boolean;
  /** Told of every thread that dies. */
  readonly died: (error: RuntimeError) => void;
}

/** As those of ONNX models, but for how they are run. */
export type ScriptInstances = Omit<Instances, 'run'>;

export class ScriptGroup implements ScriptRunner, BoundRunner, ScriptInstances, ScriptKeeper {
  readonly #parts: ScriptGroupParts;
  readonly #recovery: InstanceRecovery;
  #instances: readonly ScriptInstance[] = [];
  /** On their way out, with sequences of their own. */
  #leaving: readonly ScriptInstance[] = [];
  #warmUp: readonly ScriptBatch[] = [];
  #onIdle: () => void = () => undefined;
  #isAwaited = false;
  #onLost: ((error: RuntimeError) => void) | undefined;
  #loss: RuntimeError | undefined;
  #onInstanceLost: (instance: ScriptInstance) => void = () => undefined;
  #isClosed = false;

  private constructor(parts: ScriptGroupParts) {
    this.#parts = parts;
    this.#recovery = new InstanceRecovery({
      modelName: parts.script.model,
      clock: parts.clock,
      recovered: () => this.slotFree(),
      gaveUp: (error) => this.#lost(error),
    });
  }

  /** Loads the model in every instance. When one fails, none of them is left. */
  static async start(parts: ScriptGroupParts): Promise<ScriptGroup> {
    const group = new ScriptGroup(parts);
    const wanted = wantedOf(parts.groups);
    if (wanted.length === 0) {
      const text = `must specify one or more 'instance group's for ${parts.script.model}`;
      throw new RuntimeError('INVALID_ARGUMENT', text);
    }
    parts.limiter?.check(wanted);
    group.#instances = await group.#load(wanted);
    return group;
  }

  get instances(): readonly ScriptInstance[] {
    return this.#instances;
  }

  get size(): number {
    return this.#instances.length;
  }

  get idle(): number {
    let idle = 0;
    for (const instance of this.#instances) idle += instance.idle;
    for (const instance of this.#leaving) idle += instance.idle;
    return idle;
  }

  run(batch: ScriptBatch): Promise<ScriptResult> {
    const instance = this.#nextInstance();
    if (instance) return instance.run(batch);
    return Promise.reject(bug('a batch was started while no instance was idle'));
  }

  onIdle(listener: () => void): void {
    this.#onIdle = listener;
  }

  awaitIdle(): void {
    this.#isAwaited = true;
    this.#awaitResources();
  }

  onInstanceLost(listener: (instance: ScriptInstance) => void): void {
    this.#onInstanceLost = listener;
  }

  retire(instance: ScriptInstance): void {
    void instance.release().finally(() => {
      this.#leaving = this.#leaving.filter((it) => it !== instance);
    });
  }

  onLost(listener: (error: RuntimeError) => void): void {
    this.#onLost = listener;
    if (this.#loss) listener(this.#loss);
  }

  /** On each instance, one after the other. */
  async warmUp(batches: readonly ScriptBatch[]): Promise<ScriptResult[]> {
    this.#warmUp = batches;
    const results = this.#instances.map((instance) => instance.warmUp(batches));
    return (await Promise.all(results)).flat();
  }

  async update(groups: readonly InstanceGroupSpec[]): Promise<void> {
    const wanted = wantedOf(groups);
    const kept = this.#instances.slice(0, wanted.length);
    const spare = this.#instances.slice(wanted.length);
    this.#parts.limiter?.check(wanted);
    const more = await this.#load(wanted.slice(kept.length));
    if (this.#isClosed) {
      await releaseAll(more);
      throw new RuntimeError('BACKEND_LOST', 'the model has been unloaded');
    }
    kept.forEach((instance, index) => this.#claim(instance, wanted[index]!));
    this.#instances = [...kept, ...more];
    if (this.#parts.isBound) this.#leaving = [...this.#leaving, ...spare];
    this.slotFree();
    if (!this.#parts.isBound) await releaseAll(spare);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#recovery.stop();
    const instances = [...this.#instances, ...this.#leaving];
    this.#instances = [];
    this.#leaving = [];
    await releaseAll(instances);
  }

  slotFree(): void {
    if (!this.#isAwaited) return;
    if (this.idle === 0) {
      // There may be a slot, but not the resources for it.
      this.#awaitResources();
      return;
    }
    this.#isAwaited = false;
    this.#onIdle();
  }

  instanceLost(instance: ScriptInstance, error: ThreadDied, wasIdle: boolean): void {
    this.#parts.died(error);
    // What ends a thread while nothing is asked of it will do so again, and nobody would ever be told.
    if (wasIdle) this.#recovery.death(error);
    this.#recovery.lost(instance);
    this.#onInstanceLost(instance);
  }

  // ---- details below; callers need not read ----

  #lost(error: RuntimeError): void {
    this.#loss = error;
    this.#onLost?.(error);
  }

  #awaitResources(): void {
    for (const instance of this.#instances) instance.awaitResources();
    for (const instance of this.#leaving) instance.awaitResources();
  }

  #nextInstance(): ScriptInstance | undefined {
    let best: ScriptInstance | undefined;
    let most = 0;
    for (const instance of this.#instances) {
      const { idle, rank } = instance;
      if (idle === 0 || (best && (rank - best.rank || most - idle) >= 0)) continue;
      best = instance;
      most = idle;
    }
    return best;
  }

  #claim(instance: ScriptInstance, wanted: ClaimedResources): void {
    const { limiter } = this.#parts;
    if (limiter) instance.claim(limiter.join(wanted));
  }

  /** All or none. */
  async #load(wanted: readonly ClaimedResources[]): Promise<ScriptInstance[]> {
    const instances = wanted.map((resources) => {
      const instance = new ScriptInstance(this.#parts, this);
      this.#claim(instance, resources);
      return instance;
    });
    const loads = await Promise.allSettled(
      instances.map(async (instance) => {
        await instance.load();
        await instance.warmUp(this.#warmUp);
      }),
    );
    const failed = loads.find((load) => load.status === 'rejected');
    if (!failed) return instances;
    await releaseAll(instances);
    throw failed.reason;
  }
}

// ---- details below; callers need not read ----

async function releaseAll(instances: readonly ScriptInstance[]): Promise<void> {
  await Promise.all(instances.map((instance) => instance.release()));
}

/** What each instance needs that runs batches. */
function wantedOf(groups: readonly InstanceGroupSpec[]): ClaimedResources[] {
  return groups
    .filter(({ isPassive }) => !isPassive)
    .flatMap(({ count, rateLimiter }) =>
      Array.from({ length: count }, () => ({ rateLimiter, deviceId: 0 })),
    );
}
