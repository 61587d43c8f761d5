import { beforeEach, describe, expect, it } from 'vitest';
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

  async close(): Promise<void> {
    await this.releaseAll();
    this.isClosed = true;
  }
}

let memory: ModelMemory;
let clock: FakeClock;
let made: MadeInstances[];
let refusal: RuntimeError | undefined;
let sizes: number[];

beforeEach(() => {
  memory = new ModelMemory(100);
  clock = new FakeClock();
  made = [];
  refusal = undefined;
  sizes = [];
});

function group(count: number): InstanceGroupSpec[] {
  return [{ name: 'g', kind: 'KIND_CPU', count, gpus: [] }];
}

function onDemand(bytesPerInstance = 60, isPinned = false): OnDemandInstances {
  return new OnDemandInstances(
    { memory, clock },
    {
      ...{ modelName: 'm', version: 1, isPinned, bytesPerInstance, groups: group(1) },
      start: (groups) => {
        if (refusal) return Promise.reject(refusal);
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

    expect([made[0]!.isClosed, waiting.done, memory.usedBytes]).toEqual([true, true, 60]);
    expect([first.idle, first.size]).toEqual([0, 0]);
  });

  it('comes back for the next request', async () => {
    const [first, second] = [onDemand(), onDemand()];
    request(first);
    await settle();
    request(second);
    await settle();

    const again = request(first);
    await settle();

    expect([again.done, made.length, made[1]!.isClosed]).toEqual([true, 3, true]);
  });

  it('comes back at once when it had to leave while somebody waited', async () => {
    const [first, second] = [onDemand(), onDemand()];
    request(first);
    await settle();
    const behind = request(first);

    const other = request(second);
    for (let i = 0; i < 5; i++) {
      await settle();
      await made.at(-1)!.releaseAll();
    }

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

  it('refuses a change that can never fit, and stays as it was', async () => {
    const instances = onDemand(60);
    await instances.wake();

    await expect(instances.update(group(2))).rejects.toThrow('--max-model-memory');

    expect([instances.size, memory.usedBytes]).toEqual([1, 60]);
  });

  it('gives its memory back when it is closed', async () => {
    const instances = onDemand();
    const waking = instances.wake();

    await instances.close();
    await waking;

    expect([made[0]!.isClosed, memory.usedBytes, sizes]).toEqual([true, 0, [1, 0]]);
  });
});
