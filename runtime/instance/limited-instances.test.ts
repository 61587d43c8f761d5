// Instance groups whose instances share resources.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { readSessionSettings } from '../config/session-settings.js';
import type { InstanceGroupSpec } from '../config/instance-group-config.js';
import type { BatchFeed } from '../scheduler/batch-runner.js';
import { FakeClock } from '../testing/fake-clock.js';
import { FakeWorkerPool, ranFor } from '../testing/fake-worker-pool.js';
import type { WorkerOutput } from '../worker/protocol.js';
import { ExecutorThreads } from './executor-threads.js';
import { InstanceGroup } from './instance-group.js';
import { RateLimiter } from './rate-limiter.js';

vi.mock('piscina', () => ({ Piscina: FakeWorkerPool }));

const FEED: BatchFeed = { rows: 1, buffer: new ArrayBuffer(0), tensors: [] };

beforeEach(() => {
  FakeWorkerPool.made.length = 0;
});

class Bench {
  readonly #clock = new FakeClock();
  readonly #limiter: RateLimiter;
  readonly #threads = new ExecutorThreads({
    maxThreads: 8,
    settings: { ortLogLevel: 4 },
    clock: this.#clock,
    died: () => undefined,
  });

  constructor(limit: number) {
    this.#limiter = new RateLimiter([{ name: 'R', count: limit, device: undefined }]);
  }

  group(needs: number, count = 1): Promise<InstanceGroup> {
    return this.groups([aGroup(needs, count)]);
  }

  async groups(groups: readonly InstanceGroupSpec[]): Promise<InstanceGroup> {
    const { settings } = readSessionSettings({});
    const parts = { threads: this.#threads, clock: this.#clock, limiter: this.#limiter };
    const model = { modelName: 'm', modelPath: 'model.onnx', groups, settings };
    const { group } = await InstanceGroup.start(parts, model);
    await group.bind([], []);
    return group;
  }

  /** Batches run until what is returned is called. */
  hold(): () => void {
    const releases: ((output: WorkerOutput) => void)[] = [];
    for (const pool of FakeWorkerPool.made)
      pool.answer = () => new Promise((resolve) => releases.push(resolve));
    return () => {
      for (const release of releases) release(ranFor(1));
    };
  }
}

function aGroup(needs: number, count: number): InstanceGroupSpec {
  const resources = [{ name: 'R', isGlobal: false, count: needs }];
  const rateLimiter = { priority: 1, resources };
  return { name: 'g', kind: 'KIND_CPU', count, gpus: [], rateLimiter };
}

describe('InstanceGroup where resources are limited', () => {
  it('has no idle instance while another model has what it needs, and is told when that is free', async () => {
    const bench = new Bench(1);
    const [one, other] = [await bench.group(1), await bench.group(1)];
    const release = bench.hold();
    let told = 0;
    other.onIdle(() => told++);

    const run = one.run(FEED);
    expect([one.idle, other.idle]).toEqual([0, 0]);

    other.awaitIdle();
    release();
    await run;
    expect([told, other.idle]).toEqual([1, 1]);
  });

  it('runs as many of its instances at once as there are resources for', async () => {
    const bench = new Bench(2);
    const group = await bench.group(1, 3);
    const release = bench.hold();

    const runs = [group.run(FEED), group.run(FEED)];
    expect(group.idle).toBe(0);

    release();
    await Promise.all(runs);
    expect(group.idle).toBe(3);
  });

  it('lets the instance run that has run least', async () => {
    const bench = new Bench(1);
    const group = await bench.group(1, 2);

    for (let i = 0; i < 6; i++) await group.run(FEED);

    const runs = FakeWorkerPool.made.map((pool) => pool.kinds().filter((kind) => kind === 'run'));
    expect(runs.map(({ length }) => length)).toEqual([3, 3]);
  });

  it('runs instances of a group of priority 2 half as often, resources or not', async () => {
    const bench = new Bench(1);
    const group = await bench.groups([
      { name: 'first', kind: 'KIND_CPU', count: 1, gpus: [] },
      {
        ...{ name: 'second', kind: 'KIND_CPU', count: 1, gpus: [] },
        rateLimiter: { priority: 2, resources: [] },
      },
    ]);

    for (let i = 0; i < 6; i++) await group.run(FEED);

    const runs = FakeWorkerPool.made.map((pool) => pool.kinds().filter((kind) => kind === 'run'));
    expect(runs.map(({ length }) => length)).toEqual([4, 2]);
  });

  it('needs nothing for an instance that never runs', async () => {
    const bench = new Bench(1);
    const passive = { ...aGroup(5, 1), isPassive: true };

    const group = await bench.groups([aGroup(1, 1), passive]);

    expect([group.size, group.idle]).toEqual([1, 1]);
  });

  it('gives back what a batch had whose thread died', async () => {
    const bench = new Bench(1);
    const [one, other] = [await bench.group(1), await bench.group(1)];
    bench.hold();

    const run = one.run(FEED);
    FakeWorkerPool.made[0]!.die();
    await expect(run).rejects.toThrow('executor thread failed');

    expect(other.idle).toBe(1);
  });

  it('cannot be made, or changed, to need more than there is', async () => {
    const bench = new Bench(2);
    const group = await bench.group(1);
    const tooMuch = 'limited to 2 which will prevent scheduling';

    await expect(bench.group(3)).rejects.toThrow(tooMuch);
    await expect(group.update([aGroup(3, 1)])).rejects.toThrow(tooMuch);

    expect([group.size, group.idle]).toEqual([1, 1]);
  });

  it('needs what it is changed to need', async () => {
    const bench = new Bench(2);
    const [one, other] = [await bench.group(1), await bench.group(1)];
    const release = bench.hold();

    await one.update([aGroup(2, 1)]);
    const run = other.run(FEED);

    expect(one.idle).toBe(0);
    release();
    await run;
    expect(one.idle).toBe(1);
  });
});
