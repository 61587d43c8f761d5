import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../config/model-config.js';
import type { InferenceResponse } from '../core/inference.js';
import type { Tensor } from '../core/tensor.js';
import {
  aModelConfig,
  aRequest,
  aTensor,
  lengthPrefixed,
  rawTensor,
  valuesOf,
} from '../testing/build.js';
import { batchFormOf } from './batch-form.js';
import type { BatchFeed, ResultTensor } from './batch-runner.js';
import type { MergedEntry } from './output-cut.js';

const INPUT = 'input [ { name: "X" data_type: TYPE_FP32 dims: [ -1 ] allow_ragged_batch: true } ]';

function anEntry(...inputs: Tensor[]): MergedEntry {
  return { rows: inputs[0]!.shape[0]!, request: aRequest({ inputs }) };
}

function batchInput(kind: string, type: string, targets: string): string {
  return `batch_input [ { kind: ${kind} data_type: ${type} target_name: [ ${targets} ] source_input: "X" } ]`;
}

/** A request of one row. */
function row(...values: number[]): MergedEntry {
  return anEntry(aTensor('X', [1, values.length], values));
}

function merge(config: ModelConfig, entries: readonly MergedEntry[]): BatchFeed {
  return batchFormOf(config).merge(entries);
}

function floats({ buffer, tensors }: BatchFeed, index: number): number[] {
  const { byteOffset, byteLength } = tensors[index]!;
  return [...new Float32Array(buffer, byteOffset, byteLength / 4)];
}

function ints({ buffer, tensors }: BatchFeed, index: number): number[] {
  const { byteOffset, byteLength } = tensors[index]!;
  return [...new Int32Array(buffer, byteOffset, byteLength / 4)];
}

function split(
  config: ModelConfig,
  entries: readonly MergedEntry[],
  ...outputs: ResultTensor[]
): InferenceResponse[] {
  const rows = entries.reduce((sum, entry) => sum + entry.rows, 0);
  const result = { outputs, inputMs: 0, inferMs: 0, outputMs: 0 };
  return batchFormOf(config).split('1', { entries, rows, result });
}

function result(shape: readonly number[], values: readonly number[]): ResultTensor {
  return { shape, data: aTensor('', shape, values).data };
}

function shapesAndValues(responses: readonly InferenceResponse[]): unknown[] {
  return responses.map(({ outputs: [output] }) => [output!.shape, valuesOf(output!)]);
}

describe('a feed of ragged requests', () => {
  it('is one vector of all their elements, rows of a request one after another', () => {
    const config = aModelConfig(`max_batch_size: 8 ${INPUT}`);
    const two = anEntry(aTensor('X', [2, 2], [4, 5, 6, 7]));

    const feed = merge(config, [row(1, 2, 3), two]);

    expect(feed.rows).toBe(3);
    expect(feed.tensors).toEqual([{ byteOffset: 0, byteLength: 28, shape: [7] }]);
    expect(floats(feed, 0)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('has the tensors of the server behind the inputs, FP32 or INT32', () => {
    const config = aModelConfig(`max_batch_size: 8 ${INPUT}
      ${batchInput('BATCH_ELEMENT_COUNT', 'TYPE_FP32', '"COUNT"')}
      ${batchInput('BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO', 'TYPE_INT32', '"ENDS"')}`);

    const feed = merge(config, [row(1, 2, 3), row(4)]);

    expect(feed.tensors.map(({ shape }) => shape)).toEqual([[4], [2], [3]]);
    expect(feed.tensors.map(({ byteOffset }) => byteOffset)).toEqual([0, 16, 24]);
    expect(floats(feed, 1)).toEqual([3, 1]);
    expect(ints(feed, 2)).toEqual([0, 3, 4]);
  });

  it('gives one tensor to every target', () => {
    const config = aModelConfig(`max_batch_size: 8 ${INPUT}
      ${batchInput('BATCH_ITEM_SHAPE', 'TYPE_INT32', '"A", "B"')}
      ${batchInput('BATCH_ELEMENT_COUNT', 'TYPE_INT32', '"C"')}`);

    const feed = merge(config, [row(1, 2, 3), row(4)]);

    expect(feed.tensors.map(({ shape }) => shape)).toEqual([[4], [2, 1], [2, 1], [2]]);
    expect([1, 2, 3].map((index) => ints(feed, index))).toEqual([
      [3, 1],
      [3, 1],
      [3, 1],
    ]);
  });

  it('shows nothing of other memory in a tensor that only its shape makes', () => {
    const config = aModelConfig(`max_batch_size: 8 ${INPUT}
      ${batchInput('BATCH_MAX_ELEMENT_COUNT_AS_SHAPE', 'TYPE_FP32', '"MAX"')}`);

    const feed = merge(config, [row(1), row(2, 3, 4)]);

    expect(feed.tensors[1]!.shape).toEqual([3]);
    expect(floats(feed, 1)).toEqual([0, 0, 0]);
  });

  it('tells shapes as the model would see them', () => {
    const config = aModelConfig(`max_batch_size: 8
      input [ { name: "X" data_type: TYPE_FP32 dims: [ -1, 4 ] reshape: { shape: [ -1, 2, 2 ] } allow_ragged_batch: true } ]
      ${batchInput('BATCH_ITEM_SHAPE', 'TYPE_INT32', '"SHAPES"')}`);
    const entry = anEntry(aTensor('X', [1, 3, 4], Array<number>(12).fill(0)));

    const feed = merge(config, [entry]);

    expect(feed.tensors.map(({ shape }) => shape)).toEqual([[12], [1, 3]]);
    expect(ints(feed, 1)).toEqual([3, 2, 2]);
  });

  it('has other inputs as ever, with a row for each', () => {
    const config = aModelConfig(`max_batch_size: 8 ${INPUT}
      input [ { name: "Y" data_type: TYPE_FP32 dims: [ 2 ] } ]`);

    const feed = merge(config, [
      anEntry(aTensor('X', [1, 3], [1, 2, 3]), aTensor('Y', [1, 2], [8, 9])),
      anEntry(aTensor('X', [1, 1], [4]), aTensor('Y', [1, 2], [6, 7])),
    ]);

    expect(feed.tensors.map(({ shape }) => shape)).toEqual([[4], [2, 2]]);
    expect(floats(feed, 1)).toEqual([8, 9, 6, 7]);
  });

  it('counts strings, not their bytes', () => {
    const config = aModelConfig(`max_batch_size: 8
      input [ { name: "X" data_type: TYPE_STRING dims: [ -1 ] allow_ragged_batch: true } ]
      ${batchInput('BATCH_ELEMENT_COUNT', 'TYPE_INT32', '"COUNT"')}`);
    const texts = (...all: string[]): MergedEntry =>
      anEntry(rawTensor('X', 'BYTES', { shape: [1, all.length], data: lengthPrefixed(all) }));

    const feed = merge(config, [texts('a', 'longer'), texts('')]);

    expect(feed.tensors[0]!.shape).toEqual([3]);
    expect(ints(feed, 1)).toEqual([2, 1]);
  });

  it('is flat without batching, too', () => {
    const config = aModelConfig(`max_batch_size: 0 ${INPUT}`);
    const entry = { rows: 1, request: aRequest({ inputs: [aTensor('X', [3], [1, 2, 3])] }) };

    expect(merge(config, [entry])).toMatchObject({ rows: 1, tensors: [{ shape: [3] }] });
  });
});

describe('a result for ragged requests', () => {
  const scattered = (dims: string, type = 'TYPE_FP32'): ModelConfig =>
    aModelConfig(`max_batch_size: 8 ${INPUT}
      output [ { name: "Y" data_type: ${type} ${dims} } ]
      batch_output [ { target_name: "Y" kind: BATCH_SCATTER_WITH_INPUT_SHAPE source_input: "X" } ]`);

  it('is divided by rows where nothing else is said', () => {
    const config = aModelConfig(
      `max_batch_size: 8 ${INPUT} output [ { name: "Y" data_type: TYPE_FP32 dims: [ 1 ] } ]`,
    );

    const responses = split(config, [row(1, 2, 3), row(4)], result([2, 1], [6, 4]));

    expect(shapesAndValues(responses)).toEqual([
      [[1, 1], [6]],
      [[1, 1], [4]],
    ]);
  });

  it('is divided by the shapes of the source input, whatever shape the model gives it', () => {
    const two = anEntry(aTensor('X', [2, 1], [4, 5]));

    const responses = split(
      scattered('dims: [ -1 ]'),
      [row(1, 2, 3), two],
      result([5], [1, 2, 3, 4, 5]),
    );

    expect(shapesAndValues(responses)).toEqual([
      [
        [1, 3],
        [1, 2, 3],
      ],
      [
        [2, 1],
        [4, 5],
      ],
    ]);
  });

  it('keeps the sizes that the output fixes', () => {
    const responses = split(
      scattered('dims: [ -1, 2 ]'),
      [row(1), row(2, 3)],
      result([3, 2], [1, 1, 2, 2, 3, 3]),
    );

    expect(shapesAndValues(responses)).toEqual([
      [
        [1, 1, 2],
        [1, 1],
      ],
      [
        [1, 2, 2],
        [2, 2, 3, 3],
      ],
    ]);
  });

  it('is reshaped to what users get', () => {
    const config = scattered('dims: [ 1, -1 ] reshape: { shape: [ -1 ] }');

    expect(shapesAndValues(split(config, [row(1, 2)], result([2], [1, 2])))).toEqual([
      [
        [1, 1, 2],
        [1, 2],
      ],
    ]);
  });

  it('is divided string by string', () => {
    const data = lengthPrefixed(['a', 'longer', '']);

    const [first, second] = split(scattered('dims: [ -1 ]', 'TYPE_STRING'), [row(1, 2), row(3)], {
      shape: [3],
      data,
    });

    expect(Buffer.from(first!.outputs[0]!.data)).toEqual(lengthPrefixed(['a', 'longer']));
    expect(Buffer.from(second!.outputs[0]!.data)).toEqual(lengthPrefixed(['']));
  });

  it('is refused when the model has made less than the requests get', () => {
    const short = (): unknown =>
      split(scattered('dims: [ -1 ]'), [row(1, 2), row(3, 4)], result([3], [1, 2, 3]));

    expect(short).toThrow(
      expect.objectContaining({
        code: 'BACKEND_FAILED',
        message:
          "model 'm' has made too little of output 'Y': of its shape [3] 1 elements are left for a request that gets [1,2]",
      }),
    );
  });

  it('is skipped by requests that do not ask for it', () => {
    const config = scattered('dims: [ -1 ]');
    const uninterested = row(1, 2);
    const request = { ...uninterested.request, outputs: [{ name: 'OTHER', classCount: 0 }] };

    const [none, some] = split(
      config,
      [{ ...uninterested, request }, row(3)],
      result([3], [1, 2, 3]),
    );

    expect(none!.outputs).toEqual([]);
    expect(valuesOf(some!.outputs[0]!)).toEqual([3]);
  });
});
