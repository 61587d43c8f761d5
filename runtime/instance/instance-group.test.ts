import { beforeEach, describe, expect, it, vi } from 'vitest';
import { readSessionSettings } from '../config/session-settings.js';
import type { InstanceGroupSpec } from '../config/instance-group-config.js';
import type { RuntimeError } from '../core/errors.js';
import type { BatchFeed } from '../scheduler/batch-runner.js';
import { FakeClock } from '../testing/fake-clock.js';
import { FakeWorkerPool, ranFor, usualAnswer } from '../testing/fake-worker-pool.js';
import type { WorkerOutput } from '../worker/protocol.js';
import { ExecutorThreads } from './executor-threads.js';
import { InstanceGroup, type InstanceGroupOptions } from './instance-group.js';

vi.mock('piscina', () => ({ Piscina: FakeWorkerPool }));

const pools = FakeWorkerPool.made;
const FEED: BatchFeed = { rows: 1, buffer: new ArrayBuffer(0), tensors: [] };
const NO_MEMORY: WorkerOutput = { kind: 'error', code: 'INTERNAL', message: 'no memory' };

let clock: FakeClock;
let troubles: string[];

beforeEach(() => {
  pools.length = 0;
  clock = new FakeClock();
  troubles = [];
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
  const trouble = ({ message }: RuntimeError): void => void troubles.push(message);
  return new ExecutorThreads({ maxThreads, settings, clock, trouble, died: () => undefined });
}

async function aGroup(count: number, threads = threadsOf()): Promise<InstanceGroup> {
  const { group } = await InstanceGroup.start({ threads, clock }, options(count));
  await group.bind([], []);
  return group;
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

describe('InstanceGroup', () => {
  it('has as many instances as all groups together', async () => {
    const parts = { threads: threadsOf(), clock };

    const { group } = await InstanceGroup.start(parts, options(2, 1));
    await group.bind([], []);

    expect([group.size, group.idle, pools.length]).toEqual([3, 3, 3]);
  });

  it('lets instances take turns', async () => {
    const group = await aGroup(3);

    for (let i = 0; i < 6; i++) await group.run(FEED);

    expect(runs()).toEqual([2, 2, 2]);
  });

  it('passes over instances whose threads are busy', async () => {
    const group = await aGroup(2);
    let release: (output: WorkerOutput) => void = () => undefined;
    pools[0]!.answer = () => new Promise((resolve) => (release = resolve));

    const slow = group.run(FEED);
    expect(group.idle).toBe(1);
    await group.run(FEED);
    await group.run(FEED);
    release(ranFor(1));
    await slow;

    expect(runs()).toEqual([1, 2]);
  });

  it('refuses a batch that nobody is free for', async () => {
    const group = await aGroup(1);
    pools[0]!.answer = () => new Promise(() => undefined);

    void group.run(FEED);

    await expect(group.run(FEED)).rejects.toThrow('This is a bug.');
  });

  it('frees what was made when an instance cannot be', async () => {
    const threads = threadsOf(1);
    const first = await aGroup(1, threads);
    let loads = 0;
    pools[0]!.answer = (input) =>
      input.kind === 'load' && ++loads === 2 ? NO_MEMORY : usualAnswer(input);

    const second = InstanceGroup.start({ threads, clock }, options(3));

    await expect(second).rejects.toThrow('no memory');
    expect([loads, first.idle, pools[0]!.sessions.size]).toEqual([3, 1, 1]);
  });

  it('needs an instance', async () => {
    await expect(InstanceGroup.start({ threads: threadsOf(), clock }, options())).rejects.toThrow(
      "must specify one or more 'instance group's for m",
    );
  });

  it('frees every session when it is closed', async () => {
    const group = await aGroup(2);

    await group.close();

    expect(pools.map(({ sessions }) => sessions.size)).toEqual([0, 0]);
  });
});

describe('warm-up of a group', () => {
  const batch = { name: 'zeros', rows: 1, feed: (): BatchFeed => FEED };

  it('runs each batch on each instance', async () => {
    const group = await aGroup(2);

    const results = await group.warmUp([batch, batch]);

    expect(results).toHaveLength(4);
    expect(runs()).toEqual([2, 2]);
  });

  it('says which sample failed', async () => {
    const group = await aGroup(1);
    pools[0]!.answer = () => ({ kind: 'error', code: 'BACKEND_FAILED', message: 'bad shape' });

    await expect(group.warmUp([batch])).rejects.toMatchObject({
      code: 'BACKEND_FAILED',
      message: "failed to run warmup sample 'zeros': bad shape",
    });
  });

  it('is run again by an instance that is made anew', async () => {
    const group = await aGroup(1);
    await group.warmUp([batch]);

    pools[0]!.die();
    await settle();

    expect(pools[0]!.kinds().slice(-3)).toEqual(['load', 'bind', 'run']);
  });
});

describe('change of the instance groups', () => {
  it('makes what is missing and keeps the others', async () => {
    const group = await aGroup(1);

    await group.update(cpu(1, 2));

    expect([group.size, group.idle]).toEqual([3, 3]);
    expect(pools[0]!.kinds()).toEqual(['load', 'bind']);
  });

  it('frees what is too many', async () => {
    const group = await aGroup(3);

    await group.update(cpu(1));

    expect(group.size).toBe(1);
    expect(pools.map(({ sessions }) => sessions.size)).toEqual([1, 0, 0]);
  });

  it('warms new instances up before they run', async () => {
    const group = await aGroup(1);
    await group.warmUp([{ name: 'zeros', rows: 1, feed: () => FEED }]);

    await group.update(cpu(2));

    expect(pools[1]!.kinds()).toEqual(['load', 'bind', 'run']);
  });

  it('changes nothing when an instance cannot be made', async () => {
    const threads = threadsOf(1);
    const group = await aGroup(1, threads);
    pools[0]!.answer = () => NO_MEMORY;

    await expect(group.update(cpu(2))).rejects.toThrow('no memory');

    expect([group.size, group.idle, pools[0]!.sessions.size]).toEqual([1, 1, 1]);
  });
});

describe('an instance whose thread dies', () => {
  let lost: RuntimeError[];

  async function watched(count: number, threads = threadsOf()): Promise<InstanceGroup> {
    const group = await aGroup(count, threads);
    lost = [];
    group.onLost((error) => lost.push(error));
    return group;
  }

  async function dieUnderBatch(group: InstanceGroup, pool = pools[0]!): Promise<void> {
    pool.answer = () => new Promise(() => undefined);
    const batch = group.run(FEED);
    await Promise.resolve();
    pool.answer = usualAnswer;
    pool.die();
    await expect(batch).rejects.toMatchObject({ code: 'BACKEND_LOST' });
  }

  it('answers its batch and is made anew', async () => {
    const group = await watched(1);
    const told = vi.fn();
    group.onIdle(told);

    await dieUnderBatch(group);
    expect(group.idle).toBe(0);
    await settle();

    expect(group.idle).toBe(1);
    expect(told).toHaveBeenCalled();
    await group.run(FEED);
    expect(lost).toEqual([]);
  });

  it('is passed over until then', async () => {
    const group = await watched(2);

    await dieUnderBatch(group);

    for (let i = 0; i < 4; i++) await group.run(FEED);
    expect([group.idle, runs()]).toEqual([1, [1, 4]]);
  });

  it('is made anew when the thread died of another model', async () => {
    const threads = threadsOf(1);
    const group = await watched(1, threads);
    const other = await aGroup(1, threads);

    await dieUnderBatch(other);
    expect(group.idle).toBe(0);
    await settle();

    expect([group.idle, other.idle]).toEqual([1, 1]);
  });

  it('is given up after the third time in a row', async () => {
    const threads = threadsOf(1);
    const group = await watched(1, threads);
    const other = await aGroup(1, threads);

    for (let time = 0; time < 3; time++) {
      await dieUnderBatch(group);
      await settle();
    }

    expect(lost.map(({ code, message }) => [code, message])).toEqual([
      [
        'BACKEND_LOST',
        "model 'm' is no longer served: its executor thread died 3 times in a row (executor thread failed: worker exited with code: 1)",
      ],
    ]);
    expect([group.idle, other.idle]).toEqual([0, 1]);
  });

  it('is not given up where deaths are rare', async () => {
    const group = await watched(1);

    for (let time = 0; time < 6; time++) {
      await dieUnderBatch(group);
      await settle();
      clock.advance(10_000);
    }

    expect([group.idle, lost]).toEqual([1, []]);
  });

  it('is given up when it cannot be made anew', async () => {
    await watched(1);
    pools[0]!.answer = () => NO_MEMORY;

    pools[0]!.die();
    await settle();

    expect(lost.map(({ message }) => message)).toEqual([
      "model 'm' is no longer served: its executor thread died, and it could not be loaded again (no memory)",
    ]);
  });

  it('is given up when making it anew ends the thread each time', async () => {
    const group = await watched(1);
    pools[0]!.answer = () => {
      queueMicrotask(() => pools[0]!.die());
      return new Promise(() => undefined);
    };

    pools[0]!.die();
    for (let i = 0; i < 10; i++) await settle();

    expect([group.idle, lost.length]).toEqual([0, 1]);
  });

  it('leaves nothing behind when the group is closed meanwhile', async () => {
    const group = await watched(1);

    pools[0]!.die();
    const closed = group.close();
    await settle();
    await closed;

    expect([pools[0]!.sessions.size, lost]).toEqual([0, []]);
  });
});

describe('an instance with long batches', () => {
  it('leaves the thread that it shares with short ones, and serves all the time', async () => {
    const threads = threadsOf(2);
    const [slow, fast] = [await aGroup(1, threads), await aGroup(1, threads)];
    const tiny = await aGroup(1, threads);
    pools[0]!.answer = (input) =>
      input.kind === 'run' ? ranFor(input.session === 1 ? 300 : 0.1) : usualAnswer(input);

    for (let i = 0; i < 4; i++) {
      for (const group of [slow, fast, tiny]) await group.run(FEED);
      await settle();
    }

    const placed = pools.map(({ sessions }) => sessions.size);
    expect(placed.sort()).toEqual([1, 2]);
    for (const group of [slow, fast, tiny]) {
      expect(group.idle).toBe(1);
      await group.run(FEED);
    }
  });

  it('stays when its session cannot be made on the other thread', async () => {
    const threads = threadsOf(2);
    const [slow, idle] = [await aGroup(1, threads), await aGroup(1, threads)];
    const fast = await aGroup(1, threads);
    pools[0]!.answer = (input) =>
      input.kind === 'run' ? ranFor(input.session === 1 ? 300 : 0.1) : usualAnswer(input);
    pools[1]!.answer = (input) => (input.kind === 'load' ? NO_MEMORY : usualAnswer(input));

    for (let i = 0; i < 4; i++) {
      for (const group of [slow, fast]) await group.run(FEED);
      await settle();
    }

    expect([slow.idle, fast.idle, idle.idle]).toEqual([1, 1, 1]);
    expect(pools.map(({ sessions }) => sessions.size)).toEqual([2, 1]);
    expect(new Set(troubles)).toEqual(
      new Set([
        'an instance of model.onnx could not be moved to another thread, it stays where it is, for good: no memory',
      ]),
    );
  });

  it('is tried again on another thread when that one dies meanwhile', async () => {
    const threads = threadsOf(2);
    const [slow, idle] = [await aGroup(1, threads), await aGroup(1, threads)];
    const fast = await aGroup(1, threads);
    pools[0]!.answer = (input) =>
      input.kind === 'run' ? ranFor(input.session === 1 ? 300 : 0.1) : usualAnswer(input);
    let deaths = 0;
    pools[1]!.answer = (input) => {
      if (input.kind !== 'load' || deaths++ > 0) return usualAnswer(input);
      queueMicrotask(() => pools[1]!.die());
      return new Promise(() => undefined);
    };

    for (let i = 0; i < 8; i++) {
      for (const group of [slow, fast]) await group.run(FEED);
      await settle();
    }

    expect(troubles).toEqual([
      'an instance of model.onnx could not be moved to another thread, it will be tried again: executor thread failed: worker exited with code: 1',
    ]);
    expect([slow.idle, fast.idle, idle.idle]).toEqual([1, 1, 1]);
    expect(new Set(pools.map(({ sessions }) => sessions.size))).toEqual(new Set([1, 2]));
  });
});
