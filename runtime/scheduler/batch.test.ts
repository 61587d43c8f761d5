import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../config/model-config.js';
import { Call } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import type { InferenceRequest } from '../core/inference.js';
import {
  RecordedReply,
  aBatchedConfig,
  aModelConfig,
  aRequest,
  aTensor,
  lengthPrefixed,
  rawTensor,
  valuesOf,
} from '../testing/build.js';
import { echo } from '../testing/puppet-runner.js';
import { mergeBatch, sameShapeTest, splitBatch } from './batch.js';
import { QueueEntry, type EntryOwner } from './queue-entry.js';

const nobody: EntryOwner = { entryDue: () => undefined, entryCancelled: () => undefined };

function anEntry(request: InferenceRequest, rows = request.inputs[0]!.shape[0]!): QueueEntry {
  return new QueueEntry(nobody, { request, call: new Call(0), reply: new RecordedReply() }, rows);
}

function roundTrip(config: ModelConfig, entries: QueueEntry[]): ReturnType<typeof splitBatch> {
  const feed = mergeBatch(config, entries);
  return splitBatch(config, '7', { entries, rows: feed.rows, result: echo(feed) });
}

describe('mergeBatch', () => {
  it('puts the rows of all requests one after another', () => {
    const entries = [
      anEntry(aRequest({ inputs: [aTensor('INPUT0', [1, 2], [1, 2])] })),
      anEntry(aRequest({ inputs: [aTensor('INPUT0', [2, 2], [3, 4, 5, 6])] })),
    ];

    const feed = mergeBatch(aBatchedConfig(), entries);

    expect(feed.rows).toBe(3);
    expect(feed.tensors).toEqual([{ byteOffset: 0, byteLength: 24, shape: [3, 2] }]);
    expect([...new Float32Array(feed.buffer, 0, 6)]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('starts every tensor at a multiple of 8 bytes', () => {
    const config = aModelConfig(`
      max_batch_size: 4
      input [ { name: "A" data_type: TYPE_UINT8 dims: [ 3 ] }, { name: "B" data_type: TYPE_FP64 dims: [ 1 ] } ]`);
    const request = aRequest({
      inputs: [
        rawTensor('A', 'UINT8', { shape: [1, 3], data: Uint8Array.of(1, 2, 3) }),
        rawTensor('B', 'FP64', {
          shape: [1, 1],
          data: new Uint8Array(Float64Array.of(0.5).buffer),
        }),
      ],
    });

    const feed = mergeBatch(config, [anEntry(request)]);

    expect(feed.tensors.map(({ byteOffset }) => byteOffset)).toEqual([0, 8]);
    expect(new Float64Array(feed.buffer, 8, 1)[0]).toBe(0.5);
  });

  it('copies from views at odd places of a larger buffer', () => {
    const pool = new Uint8Array(17);
    pool.set(new Uint8Array(Float32Array.of(7, 8).buffer), 3);
    const data = pool.subarray(3, 11);
    const request = aRequest({ inputs: [rawTensor('INPUT0', 'FP32', { shape: [1, 2], data })] });

    const feed = mergeBatch(aBatchedConfig(), [anEntry(request)]);

    expect([...new Float32Array(feed.buffer, 0, 2)]).toEqual([7, 8]);
  });

  it('gives the model the reshaped sizes', () => {
    const config = aModelConfig(`
      max_batch_size: 8
      input [ { name: "INPUT0" data_type: TYPE_FP32 dims: [ -1, 4 ] reshape: { shape: [ 1, -1, 2, 2 ] } } ]`);
    const request = aRequest({ inputs: [aTensor('INPUT0', [2, 3, 4], Array<number>(24).fill(0))] });

    expect(mergeBatch(config, [anEntry(request)]).tensors[0]!.shape).toEqual([2, 1, 3, 2, 2]);
  });

  it('gives a scalar model a tensor without dimensions', () => {
    const config = aModelConfig('input [ { name: "INPUT0" data_type: TYPE_FP32 dims: [ 1 ] } ]', {
      inputs: [{ name: 'INPUT0', dataType: 'FP32', shape: [] }],
      outputs: [],
    });
    const request = aRequest({ inputs: [aTensor('INPUT0', [1], [4])] });

    expect(mergeBatch(config, [anEntry(request, 1)]).tensors[0]!.shape).toEqual([]);
  });
});

describe('splitBatch', () => {
  it('gives every request its rows back', () => {
    const responses = roundTrip(aBatchedConfig(), [
      anEntry(aRequest({ inputs: [aTensor('INPUT0', [1, 2], [1, 2])] })),
      anEntry(aRequest({ inputs: [aTensor('INPUT0', [2, 2], [3, 4, 5, 6])] })),
    ]);

    expect(
      responses.map(({ outputs }) => outputs.map((tensor) => [tensor.shape, valuesOf(tensor)])),
    ).toEqual([
      [
        [
          [1, 2],
          [1, 2],
        ],
      ],
      [
        [
          [2, 2],
          [3, 4, 5, 6],
        ],
      ],
    ]);
    expect(responses[0]).toMatchObject({ modelName: 'm', modelVersion: '7' });
  });

  it('divides strings by their lengths', () => {
    const config = aModelConfig(`
      max_batch_size: 4
      input [ { name: "INPUT0" data_type: TYPE_STRING dims: [ 2 ] } ]
      output [ { name: "OUTPUT0" data_type: TYPE_STRING dims: [ 2 ] } ]`);
    const strings = (...texts: string[]): QueueEntry => {
      const data = lengthPrefixed(texts);
      return anEntry(aRequest({ inputs: [rawTensor('INPUT0', 'BYTES', { shape: [1, 2], data })] }));
    };

    const responses = roundTrip(config, [strings('a', ''), strings('longer', 'é')]);

    expect(responses.map(({ outputs }) => Buffer.from(outputs[0]!.data))).toEqual([
      lengthPrefixed(['a', '']),
      lengthPrefixed(['longer', 'é']),
    ]);
  });

  it('returns only the outputs that a request asks for', () => {
    const config = aModelConfig(`
      max_batch_size: 4
      input [ { name: "A" data_type: TYPE_FP32 dims: [ 1 ] }, { name: "B" data_type: TYPE_FP32 dims: [ 1 ] } ]
      output [ { name: "X" data_type: TYPE_FP32 dims: [ 1 ] }, { name: "Y" data_type: TYPE_FP32 dims: [ 1 ] } ]`);
    const inputs = [aTensor('A', [1, 1], [1]), aTensor('B', [1, 1], [2])];

    const [all, one] = roundTrip(config, [
      anEntry(aRequest({ inputs })),
      anEntry(aRequest({ inputs, outputs: [{ name: 'Y', classCount: 0 }] })),
    ]);

    expect(all!.outputs.map(({ name }) => name)).toEqual(['X', 'Y']);
    expect(one!.outputs.map(({ name }) => name)).toEqual(['Y']);
  });

  it('refuses an output that has lost the batch dimension', () => {
    const config = aBatchedConfig();
    const entries = [anEntry(aRequest({ rows: 2 }))];
    const result = { ...echo(mergeBatch(config, entries)) };
    const outputs = [{ shape: [1, 2], data: new Uint8Array(8) }];

    const split = (): unknown =>
      splitBatch(config, '1', { entries, rows: 2, result: { ...result, outputs } });

    expect(split).toThrow(RuntimeError);
    expect(split).toThrow(/output 'OUTPUT0' has shape \[1,2\] for a batch of 2/);
  });
});

describe('sameShapeTest', () => {
  const config = aModelConfig(`
    max_batch_size: 4
    input [ { name: "INPUT0" data_type: TYPE_FP32 dims: [ -1 ] } ]`);
  const wide = (rows: number, size: number): QueueEntry =>
    anEntry(aRequest({ inputs: [aTensor('INPUT0', [rows, size], [])] }));

  it('lets requests differ in rows', () => {
    expect(sameShapeTest(config)(wide(1, 3), wide(2, 3))).toBe(true);
  });

  it('keeps requests of different row shapes apart', () => {
    expect(sameShapeTest(config)(wide(1, 3), wide(1, 4))).toBe(false);
  });

  it('looks away from inputs that are ragged', () => {
    const ragged = aModelConfig(`
      max_batch_size: 4
      input [ { name: "INPUT0" data_type: TYPE_FP32 dims: [ -1 ] allow_ragged_batch: true } ]`);

    expect(sameShapeTest(ragged)(wide(1, 3), wide(1, 4))).toBe(true);
  });
});
