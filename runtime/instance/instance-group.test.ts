import { beforeEach, describe, expect, it, vi } from 'vitest';
import { readSessionSettings } from '../config/session-settings.js';
import { RuntimeError } from '../core/errors.js';
import type { BatchFeed } from '../scheduler/batch-runner.js';
import type { WorkerInput, WorkerOutput } from '../worker/protocol.js';
import { ExecutorThreads } from './executor-threads.js';
import { InstanceGroup, type InstanceGroupOptions } from './instance-group.js';

type Answer = (input: WorkerInput) => WorkerOutput | Promise<WorkerOutput>;

/** Threads that answer as the test says, by their number. */
const made = vi.hoisted(() => ({ threads: [] as { inputs: WorkerInput[]; answer: Answer }[] }));

vi.mock('./executor-thread.js', () => ({
  ExecutorThread: class {
    instances = 0;
    busy = false;
    readonly inputs: WorkerInput[] = [];
    answer: Answer = usual;

    constructor() {
      made.threads.push(this);
    }

    await(): void {
      // Nobody is made to wait in these tests.
    }

    async run(input: WorkerInput): Promise<WorkerOutput> {
      this.inputs.push(input);
      this.busy = true;
      try {
        return await this.answer(input);
      } finally {
        this.busy = false;
      }
    }

    close(): Promise<void> {
      return Promise.resolve();
    }
  },
}));

const FEED: BatchFeed = { rows: 1, buffer: new ArrayBuffer(0), tensors: [] };
const LOST: WorkerOutput = { kind: 'error', code: 'BACKEND_LOST', message: 'it was replaced' };

function usual({ kind }: WorkerInput): WorkerOutput {
  if (kind === 'load')
    return { kind: 'load', inputs: [], outputs: [], provider: 'cpu', refusals: [] };
  if (kind === 'run') return { kind: 'run', outputs: [], inputMs: 0, inferMs: 1, outputMs: 0 };
  return { kind: 'done' };
}

function options(...counts: number[]): InstanceGroupOptions {
  return {
    modelName: 'm',
    modelPath: 'model.onnx',
    groups: counts.map((count, i) => ({ name: `g${i}`, kind: 'KIND_CPU', count, gpus: [] })),
    settings: readSessionSettings({}).settings,
  };
}

async function aGroup(count: number): Promise<InstanceGroup> {
  const threads = new ExecutorThreads(8, { ortLogLevel: 4 }, () => undefined);
  return (await InstanceGroup.start(threads, options(count))).group;
}

function runs(): number[] {
  return made.threads.map(({ inputs }) => inputs.filter(({ kind }) => kind === 'run').length);
}

beforeEach(() => {
  made.threads.length = 0;
});

describe('InstanceGroup', () => {
  it('has as many instances as all groups together', async () => {
    const threads = new ExecutorThreads(8, { ortLogLevel: 4 }, () => undefined);

    const { group } = await InstanceGroup.start(threads, options(2, 1));

    expect([group.size, group.idle, made.threads.length]).toEqual([3, 3, 3]);
  });

  it('lets instances take turns', async () => {
    const group = await aGroup(3);

    for (let i = 0; i < 6; i++) await group.run(FEED);

    expect(runs()).toEqual([2, 2, 2]);
  });

  it('passes over instances whose threads are busy', async () => {
    const group = await aGroup(2);
    let release: (output: WorkerOutput) => void = () => undefined;
    made.threads[0]!.answer = () => new Promise((resolve) => (release = resolve));

    const slow = group.run(FEED);
    expect(group.idle).toBe(1);
    await group.run(FEED);
    await group.run(FEED);
    release(usual({ kind: 'run' } as WorkerInput));
    await slow;

    expect(runs()).toEqual([1, 2]);
  });

  it('refuses a batch that nobody is free for', async () => {
    const group = await aGroup(1);
    made.threads[0]!.answer = () => new Promise(() => undefined);

    void group.run(FEED);

    await expect(group.run(FEED)).rejects.toThrow('This is a bug.');
  });

  it.each<[string, Answer]>([
    ['died', () => Promise.reject(new RuntimeError('BACKEND_LOST', 'it died'))],
    ['was replaced', () => LOST],
  ])('gives nothing more to an instance whose thread %s', async (_what, answer) => {
    const group = await aGroup(2);
    made.threads[0]!.answer = answer;

    await expect(group.run(FEED)).rejects.toMatchObject({ code: 'BACKEND_LOST' });
    for (let i = 0; i < 4; i++) await group.run(FEED);

    expect(group.idle).toBe(1);
    expect(runs()).toEqual([1, 4]);
  });

  it('answers that all is lost when all is', async () => {
    const group = await aGroup(1);
    made.threads[0]!.answer = () => LOST;

    for (let i = 0; i < 2; i++)
      await expect(group.run(FEED)).rejects.toMatchObject({ code: 'BACKEND_LOST' });

    expect(group.idle).toBe(1);
  });

  it('frees what was made when an instance cannot be', async () => {
    const threads = new ExecutorThreads(1, { ortLogLevel: 4 }, () => undefined);
    let loads = 0;
    threads.join([]);
    made.threads[0]!.answer = (input) =>
      input.kind === 'load' && ++loads === 2
        ? { kind: 'error', code: 'INTERNAL', message: 'no memory' }
        : usual(input);

    await expect(InstanceGroup.start(threads, options(3))).rejects.toThrow('no memory');

    expect(made.threads[0]!.inputs.map(({ kind }) => kind)).toEqual([
      ...['load', 'load', 'load'],
      ...['release', 'release', 'release'],
    ]);
  });

  it('needs an instance', async () => {
    const threads = new ExecutorThreads(1, { ortLogLevel: 4 }, () => undefined);

    await expect(InstanceGroup.start(threads, options())).rejects.toThrow(
      "must specify one or more 'instance group's for m",
    );
  });
});
