// What becomes of sequences when their model is put out of memory, changed or unloaded, and sequences whose inputs are ragged.

import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { ONNX_TYPE, type OnnxGraph } from '../testing/onnx-model.js';
import { scrape } from './harness/metrics.js';
import { fp32, fp32Output, inferRequest } from './harness/requests.js';
import { serving, type Serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';
import type { Message } from './harness/test-client.js';

const MIB = 2 ** 20;
const VALUE = { type: ONNX_TYPE.FLOAT, shape: ['n', 1] };

/** sum = after = before + x + the last of the weights, which is zero. */
function adder(weightBytes = 4): OnnxGraph {
  const shape = [weightBytes / 4];
  const last = BigInt64Array.of(BigInt(shape[0]! - 1));
  return {
    inputs: ['x', 'before'].map((name) => ({ ...VALUE, name })),
    outputs: ['sum', 'after'].map((name) => ({ ...VALUE, name })),
    initializers: [
      { name: 'weights', type: ONNX_TYPE.FLOAT, shape, data: new Uint8Array(weightBytes) },
      { name: 'last', type: ONNX_TYPE.INT64, shape: [1], data: new Uint8Array(last.buffer) },
    ],
    nodes: [
      { op: 'Gather', inputs: ['weights', 'last'], outputs: ['zero'] },
      { op: 'Add', inputs: ['x', 'zero'], outputs: ['x0'] },
      { op: 'Add', inputs: ['before', 'x0'], outputs: ['sum'] },
      { op: 'Identity', inputs: ['sum'], outputs: ['after'] },
    ],
  };
}

const STATE = `state [ { input_name: "before" output_name: "after" data_type: TYPE_FP32 dims: [ 1 ] } ]
  max_sequence_idle_microseconds: 60000000`;
const adderConfig = (count = 1): string =>
  `max_batch_size: 4 instance_group [ { kind: KIND_CPU count: ${count} } ] sequence_batching { direct { } ${STATE} }`;

type Flag = 'start' | 'end';

function step(
  here: Serving,
  model: string,
  { id = 1, x, flag }: { id?: number; x: readonly number[]; flag?: Flag },
): Promise<Message> {
  const flags = flag ? { [`sequence_${flag}`]: { bool_param: true } } : {};
  const parameters = { sequence_id: { int64_param: id }, ...flags };
  const input = fp32('x', [1, x.length], x);
  return here.client.infer(inferRequest(model, [input], { parameters }));
}

describe('sequences of models that share a memory too small for both', () => {
  const repository = new TemporaryRepository();
  for (const name of ['a', 'b']) repository.model(name, adder(MIB), adderConfig());
  const here = serving(repository, ['--max-model-memory=2M']);

  const sum = async (model: string, x: number, flag?: Flag): Promise<number> =>
    fp32Output(await step(here, model, { x: [x], ...(flag && { flag }) }), 'sum')[0]!;

  it('go on where they were when their model comes back', async () => {
    const sums = [await sum('a', 1, 'start'), await sum('b', 10, 'start')];
    const inMemory = [...(await scrape(here.server))].filter(
      ([name, count]) => name.startsWith('inferd_instances{') && count > 0,
    );
    sums.push(await sum('a', 2), await sum('b', 20), await sum('a', 3, 'end'));
    sums.push(await sum('b', 30, 'end'));

    expect(inMemory.map(([name]) => name)).toEqual(['inferd_instances{model="b",version="1"}']);
    expect(sums).toEqual([1, 10, 3, 30, 6, 60]);
  });
});

describe('sequences of a model that is changed', () => {
  const repository = new TemporaryRepository();
  repository.model('a', adder(), adderConfig());
  const here = serving(repository, ['--model-control-mode=explicit', '--load-model=a']);

  const sum = async (x: number, flag?: Flag): Promise<number> =>
    fp32Output(await step(here, 'a', { x: [x], ...(flag && { flag }) }), 'sum')[0]!;

  it('go on with another number of instances', async () => {
    const sums = [await sum(1, 'start')];
    for (const count of [2, 1]) {
      repository.write('a/config.pbtxt', adderConfig(count));
      await here.client.call('RepositoryModelLoad', { model_name: 'a' });
      sums.push(await sum(count));
    }
    sums.push(await sum(5, 'end'));

    expect(sums).toEqual([1, 3, 4, 9]);
  });

  it('are over when it has been unloaded', async () => {
    await sum(1, 'start');
    await here.client.call('RepositoryModelUnload', { model_name: 'a' });
    await here.client.call('RepositoryModelLoad', { model_name: 'a' });

    await expect(sum(2)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('must specify the START flag') as string,
    });
    expect(await sum(7, 'start')).toBe(7);
  });
});

describe('sequences whose inputs are ragged', () => {
  const repository = new TemporaryRepository();
  const graph: OnnxGraph = {
    inputs: [
      { name: 'x', type: ONNX_TYPE.FLOAT, shape: ['total'] },
      { name: 'count', type: ONNX_TYPE.FLOAT, shape: ['n'] },
      { ...VALUE, name: 'before' },
    ],
    outputs: [
      { name: 'echo', type: ONNX_TYPE.FLOAT, shape: ['total'] },
      ...['sum', 'after'].map((name) => ({ ...VALUE, name })),
    ],
    initializers: [
      {
        ...{ name: 'last', type: ONNX_TYPE.INT64, shape: [1] },
        data: new Uint8Array(BigInt64Array.of(1n).buffer),
      },
    ],
    nodes: [
      { op: 'Identity', inputs: ['x'], outputs: ['echo'] },
      { op: 'Unsqueeze', inputs: ['count', 'last'], outputs: ['column'] },
      { op: 'Add', inputs: ['before', 'column'], outputs: ['sum'] },
      { op: 'Identity', inputs: ['sum'], outputs: ['after'] },
    ],
  };
  for (const strategy of ['direct { }', 'oldest { max_candidate_sequences: 8 }'])
    repository.model(
      strategy.split(' ')[0]!,
      graph,
      `max_batch_size: 4 instance_group [ { kind: KIND_CPU count: 1 } ]
       input [ { name: "x" data_type: TYPE_FP32 dims: [ -1 ] allow_ragged_batch: true } ]
       batch_input [ { kind: BATCH_ELEMENT_COUNT target_name: "count" data_type: TYPE_FP32 source_input: "x" } ]
       output [ { name: "echo" data_type: TYPE_FP32 dims: [ -1 ] }, { name: "sum" data_type: TYPE_FP32 dims: [ 1 ] } ]
       batch_output [ { target_name: "echo" source_input: "x" } ]
       sequence_batching { ${strategy} ${STATE} }`,
    );
  const here = serving(repository);

  it.each(['direct', 'oldest'])('get what is theirs: %s', async (model) => {
    const run = async (id: number): Promise<number[]> => {
      const sums: number[] = [];
      for (const [n, flag] of (['start', undefined, 'end'] as const).entries()) {
        const x = Array.from({ length: ((id + n) % 3) + 1 }, (_, i) => id * 10 + i);
        const answer = await step(here, model, { id, x, ...(flag && { flag }) });
        expect(fp32Output(answer, 'echo')).toEqual(x);
        sums.push(fp32Output(answer, 'sum')[0]!);
      }
      return sums;
    };

    const ids = Array.from({ length: 40 }, (_, index) => index + 1);
    const sums = await Promise.all(ids.map(run));

    const lengths = (id: number): number[] => [0, 1, 2].map((n) => ((id + n) % 3) + 1);
    expect(sums).toEqual(
      ids.map((id) => lengths(id).map((_, n, all) => all.slice(0, n + 1).reduce((a, b) => a + b))),
    );
  });
});
