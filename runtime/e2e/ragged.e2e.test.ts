// Requests of different shapes in one batch, as ONNX Runtime gets them and their callers get them back.

import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { ONNX_TYPE, type OnnxGraph } from '../testing/onnx-model.js';
import { fp32, fp32Output, inferRequest, rawOutput } from './harness/requests.js';
import { serving } from './harness/serving.js';
import { GOLDEN_MODELS, TemporaryRepository } from './harness/temporary-repository.js';
import { executions, type Message } from './harness/test-client.js';

const INT32 = 6;

const GRAPH: OnnxGraph = {
  inputs: [
    { name: 'x', type: ONNX_TYPE.FLOAT, shape: ['total'] },
    { name: 'items', type: INT32, shape: ['rows', 1] },
    { name: 'flat_items', type: INT32, shape: ['rows'] },
    { name: 'ends', type: ONNX_TYPE.FLOAT, shape: ['ends'] },
    { name: 'same_ends', type: ONNX_TYPE.FLOAT, shape: ['ends'] },
    { name: 'longest', type: ONNX_TYPE.FLOAT, shape: ['longest'] },
  ],
  outputs: [
    { name: 'echo', type: ONNX_TYPE.FLOAT, shape: ['total'] },
    { name: 'item', type: INT32, shape: ['rows', 1] },
    { name: 'flat_item', type: INT32, shape: ['rows'] },
  ],
  nodes: [
    { op: 'Identity', inputs: ['x'], outputs: ['echo'] },
    { op: 'Identity', inputs: ['items'], outputs: ['item'] },
    { op: 'Identity', inputs: ['flat_items'], outputs: ['flat_item'] },
  ],
};

/** A batch is full with three rows. */
const CONFIG = `
  max_batch_size: 3
  input [ { name: "x" data_type: TYPE_FP32 dims: [ -1 ] allow_ragged_batch: true } ]
  output [
    { name: "echo" data_type: TYPE_FP32 dims: [ -1 ] },
    { name: "item" data_type: TYPE_INT32 dims: [ 1 ] },
    { name: "flat_item" data_type: TYPE_INT32 dims: [ 1 ] reshape: { shape: [ ] } }
  ]
  batch_input [
    { kind: BATCH_ITEM_SHAPE target_name: "items" data_type: TYPE_INT32 source_input: "x" },
    { kind: BATCH_ITEM_SHAPE_FLATTEN target_name: "flat_items" data_type: TYPE_INT32 source_input: "x" },
    { kind: BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO target_name: [ "ends", "same_ends" ] data_type: TYPE_FP32 source_input: "x" },
    { kind: BATCH_MAX_ELEMENT_COUNT_AS_SHAPE target_name: "longest" data_type: TYPE_FP32 source_input: "x" }
  ]
  batch_output [ { kind: BATCH_SCATTER_WITH_INPUT_SHAPE target_name: "echo" source_input: "x" } ]
  dynamic_batching { max_queue_delay_microseconds: 20000000 }
  instance_group [ { count: 1 } ]`;

const WARM_UP = `
  model_warmup [ { name: "s" batch_size: 2 inputs { key: "x" value { data_type: TYPE_FP32 dims: 5 zero_data: true } } } ]`;

function int32Output(answer: Message, name: string): number[] {
  return [...new Int32Array(Uint8Array.from(rawOutput(answer, name)).buffer)];
}

function shapeOf(answer: Message, name: string): number[] {
  return (answer['outputs'] as Message[]).find((output) => output['name'] === name)![
    'shape'
  ] as number[];
}

describe('ragged batches', () => {
  const repository = new TemporaryRepository();
  repository.copy(join(GOLDEN_MODELS, 'repo_ragged', 'ragged_accum'), 'ragged_accum');
  repository.model('ragged', GRAPH, CONFIG);
  repository.model('warm', GRAPH, CONFIG + WARM_UP);
  const here = serving(repository);

  it('give every request what is its own', async () => {
    const [one, two] = await Promise.all([
      here.client.infer(inferRequest('ragged', [fp32('x', [1, 3], [1, 2, 3])])),
      here.client.infer(inferRequest('ragged', [fp32('x', [2, 2], [4, 5, 6, 7])])),
    ]);

    expect(await executions(here.client, 'ragged')).toEqual([[3, 1]]);
    expect([shapeOf(one, 'echo'), fp32Output(one, 'echo')]).toEqual([
      [1, 3],
      [1, 2, 3],
    ]);
    expect([shapeOf(two, 'echo'), fp32Output(two, 'echo')]).toEqual([
      [2, 2],
      [4, 5, 6, 7],
    ]);
    expect([int32Output(one, 'item'), int32Output(two, 'item')]).toEqual([[3], [2, 2]]);
    expect([int32Output(one, 'flat_item'), int32Output(two, 'flat_item')]).toEqual([[3], [2, 2]]);
  });

  it('count on from request to request', async () => {
    const answers = await Promise.all(
      [2, 5].map((size) =>
        here.client.infer(
          inferRequest('ragged_accum', [fp32('RAGGED', [1, size], Array<number>(size).fill(1))]),
        ),
      ),
    );

    // The model adds 1000 times the sum of all elements to what it is told.
    const told = answers.map((answer) => fp32Output(answer, 'OUTPUT0')[0]! - 7000);
    expect(told.sort((a, b) => a - b)).toEqual([expect.toBeOneOf([2, 5]), 7]);
  });

  it('are warmed up as they are served', async () => {
    expect(await executions(here.client, 'warm')).toEqual([[2, 1]]);
  });

  it('hide from clients what the server makes', async () => {
    const metadata = await here.client.call('ModelMetadata', { name: 'ragged' });
    const items = { name: 'items', datatype: 'INT32', shape: [1, 1], raw: Buffer.alloc(4) };
    const request = inferRequest('ragged', [items]);

    expect((metadata['inputs'] as Message[]).map(({ name }) => name as string)).toEqual(['x']);
    await expect(here.client.infer(request)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: "unexpected inference input 'items' for model 'ragged'",
    });
  });
});
