// Instances that are loaded and run nothing.

import { availableParallelism } from 'node:os';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { readSessionSettings } from '../config/session-settings.js';
import type { InstanceGroupSpec } from '../config/instance-group-config.js';
import type { BatchFeed } from '../scheduler/batch-runner.js';
import { FakeClock } from '../testing/fake-clock.js';
import { FakeWorkerPool } from '../testing/fake-worker-pool.js';
import { ExecutorThreads } from './executor-threads.js';
import { InstanceGroup, type InstanceGroupOptions } from './instance-group.js';

vi.mock('piscina', () => ({ Piscina: FakeWorkerPool }));

const pools = FakeWorkerPool.made;
const FEED: BatchFeed = { rows: 1, buffer: new ArrayBuffer(0), tensors: [] };

let clock: FakeClock;

beforeEach(() => {
  pools.length = 0;
  clock = new FakeClock();
});

function cpu(...counts: number[]): InstanceGroupSpec[] {
  return counts.map((count, i) => ({ name: `g${i}`, kind: 'KIND_CPU', count, gpus: [] }));
}

function options(...counts: number[]): InstanceGroupOptions {
  const { settings } = readSessionSettings({
    parameters: { intra_op_thread_count: { string_value: '1' } },
  });
  return { modelName: 'm', modelPath: 'model.onnx', groups: cpu(...counts), settings };
}

function threadsOf(maxThreads = 8): ExecutorThreads {
  const settings = { ortLogLevel: 4 as const };
  return new ExecutorThreads({ maxThreads, settings, clock, died: () => undefined });
}

function runs(): number[] {
  return pools.map((pool) => pool.kinds().filter((kind) => kind === 'run').length);
}

/** What was deferred, and the promises that hang on it. */
async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) {
    clock.runDeferred();
    await Promise.resolve();
  }
}

describe('a passive group', () => {
  const passive: InstanceGroupSpec = {
    ...{ name: 'p', kind: 'KIND_CPU', count: 2, gpus: [], isPassive: true },
  };

  async function withPassive(threads = threadsOf()): Promise<InstanceGroup> {
    const groups = [passive, ...cpu(1)];
    const { group } = await InstanceGroup.start({ threads, clock }, { ...options(), groups });
    await group.bind([], []);
    return group;
  }

  it('is loaded and never runs a batch', async () => {
    const group = await withPassive();
    await group.warmUp([{ name: 'zeros', rows: 1, feed: () => FEED }]);

    for (let i = 0; i < 3; i++) await group.run(FEED);

    expect([group.size, group.idle, runs()]).toEqual([1, 1, [4, 0, 0]]);
    expect(pools.map(({ sessions }) => sessions.size)).toEqual([1, 1, 1]);
  });

  it('is loaded again when its thread dies, and freed with the others', async () => {
    const group = await withPassive();

    pools[1]!.die();
    await settle();
    expect(pools.map(({ sessions }) => sessions.size)).toEqual([1, 1, 1]);

    await group.close();
    expect(pools.map(({ sessions }) => sessions.size)).toEqual([0, 0, 0]);
  });

  it('leaves the cores to those that run', async () => {
    const { settings } = readSessionSettings({});
    const groups = [...cpu(1), { ...passive, count: 1000 }];

    await InstanceGroup.start({ threads: threadsOf(1), clock }, { ...options(), settings, groups });

    const loads = pools[0]!.inputs.filter(({ kind }) => kind === 'load');
    expect(loads[0]).toMatchObject({ intraOpThreads: availableParallelism() });
  });

  it('does not lend its instances to one that runs, nor the other way round', async () => {
    const group = await withPassive();
    await group.warmUp([{ name: 'zeros', rows: 1, feed: () => FEED }]);

    await group.update(cpu(2));

    expect([group.size, group.idle]).toEqual([2, 2]);
    // The new one has been warmed up; the passive ones are gone.
    expect(pools.map(({ sessions }) => sessions.size).sort()).toEqual([0, 0, 1, 1]);
    expect(pools.map((pool) => pool.kinds().includes('run'))).toContain(true);
    for (let i = 0; i < 2; i++) await group.run(FEED);
    expect(runs().filter((count) => count > 1)).toEqual([2, 2]);

    await group.update([...cpu(1), passive]);
    expect([group.size, group.idle]).toEqual([1, 1]);
    expect(pools.flatMap(({ sessions }) => [...sessions])).toHaveLength(3);
  });
});
