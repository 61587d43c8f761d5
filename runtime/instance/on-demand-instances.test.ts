import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { InstanceGroupSpec } from '../config/instance-group-config.js';
import { RuntimeError } from '../core/errors.js';
import { FakeClock } from '../testing/fake-clock.js';
import { PuppetRunner } from '../testing/puppet-runner.js';
import type { BatchFeed } from '../scheduler/batch-runner.js';
import type { Instances } from './instances.js';
import { ModelMemory } from './model-memory.js';
import { OnDemandInstances } from './on-demand-instances.js';

const FEED: BatchFeed = { rows: 1, buffer: new ArrayBuffer(0), tensors: [] };

/** Instances that are there, run by the test. */
class MadeInstances extends PuppetRunner implements Instances {
  isClosed = false;
  #finished: () => void = () => undefined;
  lost: (error: RuntimeError) => void = () => undefined;

  constructor(readonly size: number) {
    super(size);
  }

  update(): Promise<void> {
    return Promise.reject(new Error('they are made anew instead'));
  }

  onLost(listener: (error: RuntimeError) => void): void {
    this.lost = listener;
  }

  /** Waits for what runs. */
  async close(): Promise<void> {
    if (this.idle < this.size) await new Promise<void>((resolve) => (this.#finished = resolve));
    this.isClosed = true;
  }

  override async releaseAll(): Promise<void> {
    await super.releaseAll();
    this.#finished();
    await settle();
  }
}

let memory: ModelMemory;
let clock: FakeClock;
let made: MadeInstances[];
let refusal: RuntimeError | undefined;
let refuseNext: (() => RuntimeError | undefined) | undefined;
let sizes: number[];
let troubles: string[];

beforeEach(() => {
  memory = new ModelMemory(100);
  clock = new FakeClock();
  made = [];
  refusal = undefined;
  refuseNext = undefined;
  sizes = [];
  troubles = [];
});

function group(count: number): InstanceGroupSpec[] {
  return [{ name: 'g', kind: 'KIND_CPU', count, gpus: [] }];
}

function onDemand(bytesPerInstance = 60, isPinned = false): OnDemandInstances {
  return new OnDemandInstances(
    { memory, clock, trouble: ({ message }) => troubles.push(message) },
    {
      ...{ modelName: 'm', version: 1, isPinned, bytesPerInstance, groups: group(1) },
      start: (groups) => {
        const refused = refusal ?? refuseNext?.();
        if (refused) return Promise.reject(refused);
        const instances = new MadeInstances(groups[0]!.count);
        made.push(instances);
        return Promise.resolve(instances);
      },
      resized: (count) => sizes.push(count),
    },
  );
}

/** What a scheduler does with one request: run it as soon as an instance is idle. */
function request(of: OnDemandInstances): { done: boolean } {
  const state = { done: false };
  const pump = (): void => {
    if (state.done) return;
    if (of.idle === 0) {
      of.awaitIdle();
      return;
    }
    state.done = true;
    void of.run(FEED);
  };
  of.onIdle(pump);
  pump();
  return state;
}

async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}

describe('OnDemandInstances', () => {
  it('takes no memory before it is needed', () => {
    const instances = onDemand();

    expect([instances.idle, instances.size, made.length, memory.usedBytes]).toEqual([0, 0, 0, 0]);
  });

  it('is made by the first request, which waits for it', async () => {
    const instances = onDemand();

    const waiting = request(instances);
    await settle();

    expect([waiting.done, instances.size, memory.usedBytes, sizes]).toEqual([true, 1, 60, [1]]);
  });

  it('is made once for all who wait', async () => {
    const instances = onDemand();

    instances.awaitIdle();
    instances.awaitIdle();
    await settle();

    expect(made).toHaveLength(1);
  });

  it('leaves for another one, after what runs has ended', async () => {
    const [first, second] = [onDemand(), onDemand()];
    request(first);
    await settle();

    const waiting = request(second);
    await settle();
    expect([made[0]!.isClosed, waiting.done, first.idle]).toEqual([false, false, 0]);
    await made[0]!.releaseAll();

    expect([made[0]!.isClosed, waiting.done, memory.usedBytes]).toEqual([true, true, 60]);
    expect([first.idle, first.size]).toEqual([0, 0]);
  });

  it('comes back for the next request', async () => {
    const [first, second] = [onDemand(), onDemand()];
    for (const one of [first, second, first]) {
      const asked = request(one);
      await settle();
      await made.at(-2)?.releaseAll();
      expect(asked.done).toBe(true);
      await made.at(-1)!.releaseAll();
    }

    expect([made.length, memory.usedBytes]).toEqual([3, 60]);
  });

  it('comes back at once when it had to leave while somebody waited', async () => {
    const [first, second] = [onDemand(), onDemand()];
    request(first);
    await settle();
    const behind = request(first);
    const other = request(second);
    await settle();

    for (let i = 0; i < 4; i++) await made.at(-1)!.releaseAll();

    expect([behind.done, other.done]).toEqual([true, true]);
  });

  it('stays when it is pinned', async () => {
    const [pinned, other] = [onDemand(60, true), onDemand(40)];
    await pinned.wake();

    request(other);
    await settle();
    request(onDemand(40));
    await settle();

    expect([pinned.size, other.size]).toEqual([1, 0]);
  });

  it('is lost when it cannot be made, and takes no memory', async () => {
    const instances = onDemand();
    const lost: RuntimeError[] = [];
    instances.onLost((error) => lost.push(error));
    refusal = new RuntimeError('INTERNAL', 'broken file');

    instances.awaitIdle();
    await settle();

    expect(lost.map(({ code, message }) => [code, message])).toEqual([
      ['INTERNAL', "model 'm' could not be loaded when it was needed: broken file"],
    ]);
    expect(memory.usedBytes).toBe(0);
  });

  it('refuses what waits, and tries again, when a load has failed in passing', async () => {
    const instances = onDemand();
    const told: string[] = [];
    instances.onLost(() => told.push('lost'));
    instances.onRefused(({ message }) => told.push(message));
    refusal = new RuntimeError('MODEL_NOT_READY', 'the files have changed');
    instances.awaitIdle();
    await settle();
    expect(told).toEqual([
      "model 'm' could not be loaded when it was needed: the files have changed",
    ]);

    refusal = undefined;
    const again = request(instances);
    await settle();

    expect([again.done, told.length]).toEqual([true, 1]);
  });

  it('refuses what waits while pinned models leave no room', async () => {
    const instances = onDemand(60);
    const refused: string[] = [];
    instances.onRefused(({ code }) => refused.push(code));
    await onDemand(50, true).wake();

    instances.awaitIdle();
    await settle();

    expect(refused).toEqual(['MODEL_NOT_READY']);
  });

  it('is out even if its instances could not be closed, which is told', async () => {
    const [first, second] = [onDemand(), onDemand()];
    await first.wake();
    made[0]!.close = () => Promise.reject(new Error('cannot release'));

    const waiting = request(second);
    await settle();

    expect([waiting.done, memory.usedBytes, troubles]).toEqual([true, 60, ['cannot release']]);
  });

  it('is lost when its instances are', async () => {
    const instances = onDemand();
    const lost: string[] = [];
    instances.onLost(({ message }) => lost.push(message));
    await instances.wake();

    made[0]!.lost(new RuntimeError('BACKEND_LOST', 'gone'));

    expect(lost).toEqual(['gone']);
  });

  it('has other instances after a change, from the next request on', async () => {
    const instances = onDemand(30);
    await instances.wake();

    await instances.update(group(3));
    expect([instances.size, memory.usedBytes]).toEqual([0, 0]);
    request(instances);
    await settle();

    expect([instances.size, memory.usedBytes]).toEqual([3, 90]);
  });

  it('has them also for requests that come while the old ones finish', async () => {
    const instances = onDemand(30);
    request(instances);
    await settle();

    const updated = instances.update(group(2));
    const waiting = request(instances);
    await settle();
    expect([waiting.done, memory.usedBytes]).toEqual([false, 30]);
    await made[0]!.releaseAll();
    await updated;

    expect([waiting.done, instances.size, memory.usedBytes]).toEqual([true, 2, 60]);
  });

  it('can be put out after a change as before it', async () => {
    const [changed, other] = [onDemand(30), onDemand(90)];
    request(changed);
    await settle();
    const updated = changed.update(group(2));
    request(changed);
    await made[0]!.releaseAll();
    await updated;
    await settle();

    const waiting = request(other);
    await settle();
    await made[1]!.releaseAll();

    expect([waiting.done, changed.size, memory.usedBytes]).toEqual([true, 0, 90]);
  });

  it('is changed at once when it is pinned', async () => {
    const instances = onDemand(30, true);
    await instances.wake();

    await instances.update(group(2));
    expect([instances.size, memory.usedBytes, made.length]).toEqual([2, 60, 2]);
    await instances.close();

    expect([memory.usedBytes, made.every(({ isClosed }) => isClosed)]).toEqual([0, true]);
  });

  it('goes back to what it had when a pinned one cannot be changed', async () => {
    const instances = onDemand(30, true);
    await instances.wake();
    const start = vi.fn();
    start.mockReturnValueOnce(new RuntimeError('INVALID_ARGUMENT', 'no GPU'));
    refuseNext = start;

    await expect(instances.update(group(2))).rejects.toThrow('no GPU');

    expect([instances.size, memory.usedBytes]).toEqual([1, 30]);
  });

  it('refuses a change that can never fit, and stays as it was', async () => {
    const instances = onDemand(60);
    await instances.wake();

    await expect(instances.update(group(2))).rejects.toThrow('--max-model-memory');

    expect([instances.size, memory.usedBytes]).toEqual([1, 60]);
  });

  it('gives its memory back when it is closed', async () => {
    const instances = onDemand();
    await instances.wake();

    await instances.close();

    expect([made[0]!.isClosed, memory.usedBytes, sizes]).toEqual([true, 0, [1, 0]]);
  });
});
