// More models than memory: --max-model-memory over real threads.

import { describe, expect, it } from 'vitest';
import { ONNX_TYPE, type OnnxGraph } from '../testing/onnx-model.js';
import { scrape } from './harness/metrics.js';
import { fp32, fp32Output, inferRequest } from './harness/requests.js';
import { serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';
import { TestServer } from './harness/test-server.js';

const MIB = 2 ** 20;
const ONE_INSTANCE = 'instance_group [ { kind: KIND_CPU count: 1 } ]';
const PINNED = `${ONE_INSTANCE} parameters { key: "pinned" value { string_value: "true" } }`;

/** y = x + the last of its weights, which weigh a MiB. */
function heavy(value: number): OnnxGraph {
  const weights = new Float32Array(MIB / 4).fill(0);
  weights[weights.length - 1] = value;
  const last = BigInt64Array.from([BigInt(weights.length - 1)]);
  return {
    inputs: [{ name: 'x', type: ONNX_TYPE.FLOAT, shape: ['n', 1] }],
    outputs: [{ name: 'y', type: ONNX_TYPE.FLOAT, shape: ['n', 1] }],
    initializers: [
      {
        name: 'weights',
        type: ONNX_TYPE.FLOAT,
        shape: [weights.length],
        data: new Uint8Array(weights.buffer),
      },
      { name: 'last', type: ONNX_TYPE.INT64, shape: [1], data: new Uint8Array(last.buffer) },
    ],
    nodes: [
      { op: 'Gather', inputs: ['weights', 'last'], outputs: ['value'] },
      { op: 'Add', inputs: ['x', 'value'], outputs: ['y'] },
    ],
  };
}

describe('models that share a memory too small for all', () => {
  const repository = new TemporaryRepository();
  for (let i = 0; i < 6; i++) repository.model(`m${i}`, heavy(i), ONE_INSTANCE);
  repository.model('pinned', heavy(100), PINNED);
  repository.write('broken/1/model.onnx', 'this is no model');
  repository.write(
    'broken/config.pbtxt',
    `max_batch_size: 4 ${ONE_INSTANCE}
     input { name: "x" data_type: TYPE_FP32 dims: 1 } output { name: "y" data_type: TYPE_FP32 dims: 1 }`,
  );
  const flags = ['--max-model-memory=4M', '--exit-on-error=false', '--strict-readiness=false'];
  const here = serving(repository, flags);

  const ask = async (name: string, x = 1): Promise<number[]> =>
    fp32Output(await here.client.infer(inferRequest(name, [fp32('x', [1, 1], [x])])), 'y');

  /** Models that have instances now. */
  async function inMemory(): Promise<string[]> {
    const counts = [...(await scrape(here.server))].flatMap(([series, count]) => {
      const name = /^inferd_instances\{model="(\w+)"/.exec(series)?.[1];
      return name !== undefined && count > 0 ? [name] : [];
    });
    return counts.sort();
  }

  it('are known before any of them is in memory, save the pinned one', async () => {
    const { models } = await here.client.call('RepositoryIndex', { ready: true });
    const { inputs } = await here.client.call('ModelMetadata', { name: 'm3' });

    expect((models as { name: string }[]).map(({ name }) => name)).toContain('m3');
    expect(inputs).toEqual([{ name: 'x', datatype: 'FP32', shape: [-1, 1] }]);
    expect(await inMemory()).toEqual(['pinned']);
  });

  it('are loaded by their first request, and those used longest ago leave', async () => {
    for (const name of ['m0', 'm1', 'm0', 'm2']) expect(await ask(name)).toHaveLength(1);

    expect(await inMemory()).toEqual(['m0', 'm2', 'pinned']);
  });

  it('all answer right, however many ask at once', async () => {
    const asked = Array.from({ length: 120 }, (_, i) => i % 6);

    const answers = await Promise.all(asked.map((i) => ask(`m${i}`, i)));

    expect(answers).toEqual(asked.map((i) => [2 * i]));
    expect(await ask('pinned')).toEqual([101]);
    expect((await inMemory()).length).toBeLessThanOrEqual(3);
  });

  it('keep their statistics when they leave', async () => {
    const inferences = async (): Promise<number> =>
      (await scrape(here.server)).get('nv_inference_count{model="m5",version="1"}')!;
    const before = await inferences();
    for (const name of ['m0', 'm1', 'm2', 'm5']) await ask(name);

    expect(await inferences()).toBe(before + 1);
  });

  it('make a request wait no longer than its deadline', async () => {
    const late = here.client.infer(inferRequest('m4', [fp32('x', [1, 1], [1])]), {
      deadline: Date.now() - 1,
    });

    await expect(late).rejects.toMatchObject({ code: 4 });
  });

  it('tell of one that cannot be loaded, when it is asked for', async () => {
    await expect(ask('broken')).rejects.toThrow();

    const { models } = await here.client.call('RepositoryIndex');
    expect(models).toContainEqual(
      expect.objectContaining({ name: 'broken', state: 'UNAVAILABLE' }),
    );
    expect(await ask('m1')).toEqual([2]);
  });
});

describe('a model whose files change while it is not in memory', () => {
  const repository = new TemporaryRepository();
  for (const name of ['a', 'b']) repository.model(name, heavy(1), ONE_INSTANCE);
  const here = serving(repository, [
    ...['--max-model-memory=2M', '--model-control-mode=explicit', '--load-model=*'],
  ]);
  const ask = async (name: string): Promise<number[]> =>
    fp32Output(await here.client.infer(inferRequest(name, [fp32('x', [1, 1], [1])])), 'y');

  it('is not served until it is loaded again', async () => {
    expect([await ask('a'), await ask('b')]).toEqual([[2], [2]]);
    repository.model('a', heavy(10));

    await expect(ask('a')).rejects.toMatchObject({
      code: 14,
      details: expect.stringContaining(
        "the files of version 1 of model 'a' have changed since it was loaded; load the model again",
      ) as string,
    });
    await here.client.call('RepositoryModelLoad', { model_name: 'a' });

    expect(await ask('a')).toEqual([11]);
  });
});

it('refuses a model that is larger than the memory for all', async () => {
  const repository = new TemporaryRepository();
  repository.model('m', heavy(1), ONE_INSTANCE);

  const server = await TestServer.start({
    repository: repository.path,
    flags: ['--max-model-memory=1M'],
  });
  await server.exited;
  repository.remove();

  expect(server.told).toContain(
    "version 1 of model 'm' needs about 1.1 MiB, and --max-model-memory leaves 1.0 MiB",
  );
});
