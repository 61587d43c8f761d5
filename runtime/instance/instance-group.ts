// All instances of one model version, as one BatchRunner. A batch goes to an instance that is not running and whose thread is
// free; the instances take turns.

import { availableParallelism } from 'node:os';
import type { InstanceGroupSpec } from '../config/instance-group-config.js';
import type { SessionSettings } from '../config/session-settings.js';
import { RuntimeError, bug } from '../core/errors.js';
import type { BatchFeed, BatchResult, BatchRunner } from '../scheduler/batch-runner.js';
import type { ExecutionProvider, LoadOutput } from '../worker/protocol.js';
import type { ThreadWaiter } from './executor-thread.js';
import type { ExecutorThreads } from './executor-threads.js';
import { ModelInstance } from './model-instance.js';

export interface InstanceGroupOptions {
  readonly modelName: string;
  readonly modelPath: string;
  readonly groups: readonly InstanceGroupSpec[];
  readonly settings: SessionSettings;
}

export class InstanceGroup implements BatchRunner, ThreadWaiter {
  readonly #threads: ExecutorThreads;
  readonly #instances: ModelInstance[] = [];
  #onIdle: () => void = () => undefined;
  #turn = 0;

  private constructor(threads: ExecutorThreads) {
    this.#threads = threads;
  }

  /** Makes every session. When one fails, the others are released and its error is thrown. */
  static async start(
    threads: ExecutorThreads,
    options: InstanceGroupOptions,
  ): Promise<{ group: InstanceGroup; loaded: LoadOutput }> {
    const group = new InstanceGroup(threads);
    try {
      const outputs = await settleAll(group.#loadAll(options));
      const loaded = outputs[0];
      if (!loaded)
        throw new RuntimeError(
          'INVALID_ARGUMENT',
          `must specify one or more 'instance group's for ${options.modelName}`,
        );
      return { group, loaded };
    } catch (error) {
      await group.close();
      throw error;
    }
  }

  /** Says which tensors batches bring and results have, in which order. Before the first run. */
  async bind(inputs: readonly string[], outputs: readonly string[]): Promise<void> {
    await Promise.all(this.#instances.map((instance) => instance.bind(inputs, outputs)));
  }

  get size(): number {
    return this.#instances.length;
  }

  get idle(): number {
    let idle = 0;
    for (const instance of this.#instances) if (this.#isFree(instance)) idle++;
    return idle;
  }

  run(feed: BatchFeed): Promise<BatchResult> {
    const count = this.#instances.length;
    for (let i = 0; i < count; i++) {
      const at = (this.#turn + i) % count;
      const instance = this.#instances[at]!;
      if (!this.#isFree(instance)) continue;
      this.#turn = at + 1;
      return instance.run(feed);
    }
    return Promise.reject(bug('a batch was started while no instance was idle'));
  }

  onIdle(listener: () => void): void {
    this.#onIdle = listener;
  }

  awaitIdle(): void {
    for (const { thread } of this.#instances) thread.await(this);
  }

  threadFree(): void {
    this.#onIdle();
  }

  /** Waits for what runs, then frees the sessions. */
  async close(): Promise<void> {
    const instances = this.#instances.splice(0);
    await settleAll(
      instances.map(async (instance) => {
        try {
          await instance.release();
        } finally {
          this.#threads.leave(instance.thread);
        }
      }),
    );
  }

  // ---- details below; callers need not read ----

  /** Where all are lost they may be asked all the same: they say what has happened. */
  #isFree(instance: ModelInstance): boolean {
    if (!instance.idle) return false;
    return !instance.isLost || this.#instances.every(({ isLost }) => isLost);
  }

  #loadAll({
    modelPath,
    groups,
    settings,
    modelName,
  }: InstanceGroupOptions): Promise<LoadOutput>[] {
    const total = groups.reduce(
      (sum, { count, gpus }) => sum + count * Math.max(gpus.length, 1),
      0,
    );
    const intraOpThreads = settings.intraOpThreads || threadsPerInstance(total);
    return groups.flatMap((group) => {
      const devices = group.kind === 'KIND_GPU' ? group.gpus : [0];
      return devices.flatMap((deviceId) =>
        Array.from({ length: group.count }, async () => {
          const instance = this.#newInstance();
          try {
            const providers = providersOf(group);
            return await instance.load({
              modelPath,
              settings,
              providers,
              deviceId,
              intraOpThreads,
            });
          } catch (error) {
            throw group.kind === 'KIND_GPU'
              ? noGpu(group, modelName, RuntimeError.from(error))
              : error;
          }
        }),
      );
    });
  }

  #newInstance(): ModelInstance {
    const siblings = this.#instances.map(({ thread }) => thread);
    const instance = new ModelInstance(this.#threads.join(siblings), this.#threads.newSessionId());
    this.#instances.push(instance);
    return instance;
  }
}

/** ONNX Runtime computes one operator on several cores; instances that run at once must not compete for them. */
function threadsPerInstance(instances: number): number {
  return Math.max(1, Math.floor(availableParallelism() / Math.max(instances, 1)));
}

function providersOf({ kind }: InstanceGroupSpec): ExecutionProvider[] {
  return kind === 'KIND_GPU' ? ['cuda', 'webgpu'] : ['cpu'];
}

function noGpu(group: InstanceGroupSpec, modelName: string, error: RuntimeError): RuntimeError {
  if (error.code !== 'INVALID_ARGUMENT') return error;
  const text = `instance group ${group.name} of model ${modelName} has kind KIND_GPU but server does not support GPUs`;
  return new RuntimeError('INVALID_ARGUMENT', text, { cause: error });
}

/** Like Promise.all, but waits for all of them, so that nothing is still under way when it throws. */
async function settleAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
