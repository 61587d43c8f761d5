// Real threads that die under a batch. What runs in them is fixtures/mortal-worker.mjs, since ONNX Runtime cannot be made to.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readSessionSettings } from '../config/session-settings.js';
import { compileModelConfig } from '../config/model-config.js';
import { Call } from '../core/call.js';
import { systemClock } from '../core/clock.js';
import { RuntimeError } from '../core/errors.js';
import { NO_PARAMETERS } from '../core/inference.js';
import { ModelStatistics } from '../core/model-statistics.js';
import { inferOnce } from '../core/servable.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { ExecutorThreads } from '../instance/executor-threads.js';
import { InstanceGroup } from '../instance/instance-group.js';
import type { BatchFeed, BatchResult } from '../scheduler/batch-runner.js';
import { BatchScheduler } from '../scheduler/batch-scheduler.js';

let threads: ExecutorThreads;
let deaths: string[];
let lost: RuntimeError[];

beforeEach(() => {
  deaths = [];
  lost = [];
  threads = new ExecutorThreads({
    maxThreads: 1,
    settings: { ortLogLevel: 4 },
    clock: systemClock,
    died: ({ message }) => deaths.push(message),
    workerFile: new URL('fixtures/mortal-worker.mjs', import.meta.url).href,
  });
});

afterEach(() => threads.close());

async function group(modelName: string): Promise<InstanceGroup> {
  const { settings } = readSessionSettings({});
  const groups = [{ name: 'g', kind: 'KIND_CPU' as const, count: 1, gpus: [] }];
  const options = { modelName, modelPath: 'model.onnx', groups, settings };
  const made = await InstanceGroup.start({ threads, clock: systemClock }, options);
  await made.group.bind([], []);
  made.group.onLost((error) => lost.push(error));
  return made.group;
}

function run(of: InstanceGroup, end = 0): Promise<BatchResult> {
  const feed: BatchFeed = { rows: 1, buffer: Uint8Array.of(end).buffer, tensors: [] };
  return of.run(feed);
}

describe.each([
  ['exits', 1, 'worker exited with code: 3'],
  ['throws', 2, 'nobody catches this'],
])('a thread that %s', (_what, end, message) => {
  it('is replaced, and all its instances with it', async () => {
    const [mine, others] = [await group('mine'), await group('others')];

    await expect(run(mine, end)).rejects.toMatchObject({
      code: 'BACKEND_LOST',
      message: `executor thread failed: ${message}`,
    });
    await vi.waitFor(() => expect([mine.idle, others.idle]).toEqual([1, 1]), 10_000);

    await run(mine);
    await run(others);
    expect([deaths, lost]).toEqual([[message], []]);
  });
});

it('serves the requests that waited while a thread died', async () => {
  const runner = await group('mine');
  const message = { name: 'mine', input: [{ name: 'x', data_type: 'TYPE_UINT8', dims: [1] }] };
  const scheduler = new BatchScheduler({
    config: compileModelConfig(message, { inputs: [], outputs: [] }),
    version: '1',
    runner,
    clock: systemClock,
    wheel: new TimerWheel(systemClock),
    statistics: new ModelStatistics(),
  });
  const ask = (end: number): Promise<string> => {
    const inputs = [
      { name: 'x', dataType: 'UINT8' as const, shape: [1], data: Uint8Array.of(end) },
    ];
    const request = { modelName: 'mine', id: '', parameters: NO_PARAMETERS, inputs, outputs: [] };
    return inferOnce(scheduler, request, new Call(systemClock.now())).then(
      () => 'answered',
      (error: unknown) => RuntimeError.from(error).code,
    );
  };

  const outcomes = await Promise.all([ask(0), ask(1), ask(0), ask(0), ask(1), ask(0)]);

  expect(outcomes).toEqual([
    ...['answered', 'BACKEND_LOST', 'answered', 'answered', 'BACKEND_LOST', 'answered'],
  ]);
});

it('gives a model up whose batches keep ending the thread, and goes on with the others', async () => {
  const [mine, others] = [await group('mine'), await group('others')];

  for (let time = 0; time < 3; time++) {
    await vi.waitFor(() => expect(mine.idle).toBe(1), 10_000);
    await expect(run(mine, 1)).rejects.toMatchObject({ code: 'BACKEND_LOST' });
  }
  await vi.waitFor(() => expect(others.idle).toBe(1), 10_000);

  expect(lost.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^model 'mine' is no longer served: its executor thread died 3 times/),
  ]);
  expect(mine.idle).toBe(0);
  await run(others);
});
