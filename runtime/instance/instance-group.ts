// All instances of one model version, as one BatchRunner. A batch goes to an instance that is not running and whose thread is
// free, and its resources where they are limited; the instances take turns.

import type { InstanceGroupSpec } from '../config/instance-group-config.js';
import type { Clock } from '../core/clock.js';
import { RuntimeError, bug } from '../core/errors.js';
import type { BatchFeed, BatchResult, WarmUpBatch } from '../scheduler/batch-runner.js';
import type { LoadOutput } from '../worker/protocol.js';
import type { ThreadDied, ThreadWaiter } from './executor-thread.js';
import type { ExecutorThreads } from './executor-threads.js';
import {
  isSameSession,
  planInstances,
  type InstancePlan,
  type ModelToRun,
} from './instance-plan.js';
import { InstanceRecovery } from './instance-recovery.js';
import type { Instances } from './instances.js';
import { ModelInstance, type BindingInput, type InstanceKeeper } from './model-instance.js';
import type {
  ClaimedResources,
  RateLimiter,
  ResourceClaim,
  ResourceWaiter,
} from './rate-limiter.js';

export interface InstanceGroupOptions extends ModelToRun {
  readonly modelName: string;
  readonly groups: readonly InstanceGroupSpec[];
  /** Rejects when the files are not those that the first sessions were made from. Asked before and after more are made. */
  readonly verify?: () => Promise<void>;
}

export interface InstanceGroupParts {
  readonly threads: ExecutorThreads;
  readonly clock: Clock;
  /** Undefined: resources are not looked at. */
  readonly limiter?: RateLimiter | undefined;
}

export class InstanceGroup implements Instances, ThreadWaiter, ResourceWaiter, InstanceKeeper {
  readonly #parts: InstanceGroupParts;
  readonly #options: InstanceGroupOptions;
  readonly #recovery: InstanceRecovery;
  /** Those that batches go to, in turn. */
  #instances: readonly ModelInstance[] = [];
  /** Those of passive groups: kept alive like the others, and never asked to run. */
  #passive: readonly ModelInstance[] = [];
  #binding: BindingInput = { inputs: [], outputs: [] };
  #warmUp: readonly WarmUpBatch[] = [];
  #onIdle: () => void = () => undefined;
  #onLost: ((error: RuntimeError) => void) | undefined;
  #loss: RuntimeError | undefined;
  #isClosed = false;
  #turn = 0;

  private constructor(parts: InstanceGroupParts, options: InstanceGroupOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#recovery = new InstanceRecovery({
      modelName: options.modelName,
      clock: parts.clock,
      recovered: () => this.#onIdle(),
      gaveUp: (error) => this.#lost(error),
    });
  }

  /** Makes every session. When one fails, the others are released and its error is thrown. */
  static async start(
    parts: InstanceGroupParts,
    options: InstanceGroupOptions,
  ): Promise<{ group: InstanceGroup; loaded: LoadOutput }> {
    const group = new InstanceGroup(parts, options);
    const { instances, outputs } = await group.#load(planInstances(options, options.groups));
    group.#use(instances);
    const loaded = outputs[0];
    if (!loaded)
      throw new RuntimeError(
        'INVALID_ARGUMENT',
        `must specify one or more 'instance group's for ${options.modelName}`,
      );
    return { group, loaded };
  }

  /** Says which tensors batches bring and results have, in which order. Before the first run. */
  async bind(inputs: readonly string[], outputs: readonly string[]): Promise<void> {
    this.#binding = { inputs, outputs };
    await Promise.all(this.#all.map((instance) => instance.bind(this.#binding)));
  }

  /** Runs each batch on each instance that will run others, now and whenever an instance is made. Returns the results, instance by instance. */
  async warmUp(batches: readonly WarmUpBatch[]): Promise<BatchResult[]> {
    this.#warmUp = batches;
    const results = await settleAll(this.#instances.map((instance) => instance.warmUp(batches)));
    return results.flat();
  }

  /** Has the instances that `groups` ask for from then on; those that fit are kept. When one cannot be made, nothing changes. */
  async update(groups: readonly InstanceGroupSpec[]): Promise<void> {
    const spare = [...this.#all];
    const kept: { instance: ModelInstance; plan: InstancePlan }[] = [];
    const plans = planInstances(this.#options, groups);
    this.#check(plans);
    const missing = plans.filter((plan) => {
      const at = spare.findIndex((instance) => fits(instance, plan));
      if (at >= 0) kept.push({ instance: spare.splice(at, 1)[0]!, plan });
      return at < 0;
    });
    await this.#options.verify?.();
    const { instances } = await this.#load(missing);
    try {
      await settleAll(
        instances.map(async (instance) => {
          await instance.bind(this.#binding);
          if (!instance.isPassive) await instance.warmUp(this.#warmUp);
        }),
      );
      await this.#options.verify?.();
      if (this.#isClosed) throw new RuntimeError('BACKEND_LOST', 'the model has been unloaded');
    } catch (error) {
      await releaseAll(instances);
      throw error;
    }
    for (const { instance, plan } of kept) {
      instance.claim?.leave();
      instance.claim = this.#claimOf(plan);
    }
    this.#use([...kept.map(({ instance }) => instance), ...instances]);
    this.#onIdle();
    await Promise.all(spare.map((instance) => instance.leave()));
  }

  get size(): number {
    return this.#instances.length;
  }

  get idle(): number {
    let idle = 0;
    for (const instance of this.#instances) if (instance.idle) idle++;
    return idle;
  }

  run(feed: BatchFeed): Promise<BatchResult> {
    const instance = this.#nextInstance();
    if (instance) return instance.run(feed);
    return Promise.reject(bug('a batch was started while no instance was idle'));
  }

  onIdle(listener: () => void): void {
    this.#onIdle = listener;
  }

  /** Called once, when threads kept dying and no instance will run any more. */
  onLost(listener: (error: RuntimeError) => void): void {
    this.#onLost = listener;
    if (this.#loss) listener(this.#loss);
  }

  awaitIdle(): void {
    // Of one that is lost the recovery tells.
    for (const instance of this.#instances) if (!instance.isLost) instance.awaitIdle(this);
  }

  /** Waits for what runs, then frees the sessions. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#recovery.stop();
    const instances = this.#all;
    this.#use([]);
    await releaseAll(instances);
  }

  // ---- details below; callers need not read ----

  get #all(): readonly ModelInstance[] {
    return [...this.#instances, ...this.#passive];
  }

  #use(instances: readonly ModelInstance[]): void {
    this.#instances = instances.filter(({ isPassive }) => !isPassive);
    this.#passive = instances.filter(({ isPassive }) => isPassive);
  }

  /** @throws RuntimeError INVALID_ARGUMENT when one of them could never run */
  #check(plans: readonly InstancePlan[]): void {
    this.#parts.limiter?.check(plans.filter(isScheduled).map(claimed));
  }

  #claimOf(plan: InstancePlan): ResourceClaim | undefined {
    return isScheduled(plan) ? this.#parts.limiter?.join(claimed(plan)) : undefined;
  }

  #lost(error: RuntimeError): void {
    this.#loss = error;
    this.#onLost?.(error);
  }

  threadFree(): void {
    this.#onIdle();
  }

  resourcesFree(): void {
    this.#onIdle();
  }

  instanceLost(instance: ModelInstance): void {
    this.#recovery.lost(instance);
  }

  instanceEndedThread(error: ThreadDied): void {
    this.#recovery.death(error);
  }

  instanceMoved(): void {
    this.#onIdle();
  }

  /** The first idle one from whose turn it is; where resources are limited, the one of them that has run least. */
  #nextInstance(): ModelInstance | undefined {
    const count = this.#instances.length;
    let next: ModelInstance | undefined;
    for (let i = 0; i < count; i++) {
      const at = (this.#turn + i) % count;
      const instance = this.#instances[at]!;
      if (!instance.idle || (next && rankOf(next) <= rankOf(instance))) continue;
      next = instance;
      if (this.#parts.limiter) continue;
      this.#turn = at + 1;
      break;
    }
    return next;
  }

  /** All or none. */
  async #load(
    plans: readonly InstancePlan[],
  ): Promise<{ instances: ModelInstance[]; outputs: LoadOutput[] }> {
    const instances: ModelInstance[] = [];
    this.#check(plans);
    const loads = plans.map(async (plan) => {
      const { input, group } = plan;
      const siblings = [...this.#all, ...instances];
      const { verify } = this.#options;
      const place = { input, siblings, verify, isPassive: group.isPassive };
      const instance = new ModelInstance(this.#parts.threads, place, this);
      instances.push(instance);
      instance.claim = this.#claimOf(plan);
      try {
        return await instance.load();
      } catch (error) {
        throw group.kind === 'KIND_GPU'
          ? noGpu(group, this.#options.modelName, RuntimeError.from(error))
          : error;
      }
    });
    try {
      return { instances, outputs: await settleAll(loads) };
    } catch (error) {
      await releaseAll(instances);
      throw error;
    }
  }
}

function isScheduled({ group }: InstancePlan): boolean {
  return !group.isPassive;
}

/** The instance would do for what is planned. */
function fits(instance: ModelInstance, plan: InstancePlan): boolean {
  return instance.isPassive !== isScheduled(plan) && isSameSession(instance.input, plan.input);
}

function claimed({ group, input }: InstancePlan): ClaimedResources {
  return { rateLimiter: group.rateLimiter, deviceId: input.deviceId };
}

function rankOf({ claim }: ModelInstance): number {
  return claim?.rank ?? 0;
}

function noGpu(group: InstanceGroupSpec, modelName: string, error: RuntimeError): RuntimeError {
  if (error.code !== 'INVALID_ARGUMENT') return error;
  const text = `instance group ${group.name} of model ${modelName} has kind KIND_GPU but server does not support GPUs`;
  return new RuntimeError('INVALID_ARGUMENT', text, { cause: error });
}

async function releaseAll(instances: readonly ModelInstance[]): Promise<void> {
  await settleAll(instances.map((instance) => instance.release()));
}

/** Like Promise.all, but waits for all of them, so that nothing is still under way when it throws. */
async function settleAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
