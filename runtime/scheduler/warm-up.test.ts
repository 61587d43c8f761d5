import { describe, expect, it } from 'vitest';
import { compileModelConfig, type ModelConfig } from '../config/model-config.js';
import { parseModelConfig } from '../config/parse-model-config.js';
import type { WarmUpSample } from '../config/warm-up-config.js';
import { elementBytes, type DataType } from '../core/data-type.js';
import { ModelStatistics } from '../core/model-statistics.js';
import { countWarmUp, warmUpBatches } from './warm-up.js';

function config(type: string, batch = 4): ModelConfig {
  const text = `name: "m" max_batch_size: ${batch} input { name: "A" data_type: ${type} dims: [ 2 ] }`;
  return compileModelConfig(parseModelConfig(text).message, { inputs: [], outputs: [] });
}

function sample(dataType: DataType, source: WarmUpSample['inputs'][0]['source']): WarmUpSample {
  const inputs = [{ name: 'A', dataType, dims: [2], source }];
  return { name: 's', requests: 3, runs: 1, inputs };
}

const noFile = (): Promise<Uint8Array> => Promise.reject(new Error('no file was to be read'));

async function feedOf(
  type: string,
  of: WarmUpSample,
  file: Uint8Array = new Uint8Array(0),
): Promise<Buffer> {
  const [batch] = await warmUpBatches(config(type), [of], () => Promise.resolve(file));
  const { buffer, tensors } = batch!.feed();
  return Buffer.from(buffer, 0, tensors[0]!.byteLength);
}

describe('warmUpBatches', () => {
  it('executes the requests of a sample together, as often as it says', async () => {
    const zero = { ...sample('FP32', { kind: 'zero' }), runs: 2 };

    const batches = await warmUpBatches(config('TYPE_FP32'), [zero], noFile);

    expect(batches.map(({ name, rows }) => [name, rows])).toEqual([
      ['s', 3],
      ['s', 3],
    ]);
    expect(batches[0]!.feed().tensors).toEqual([{ byteOffset: 0, byteLength: 24, shape: [3, 2] }]);
  });

  it('makes a new feed each time, as feeds are handed over', async () => {
    const [batch] = await warmUpBatches(
      config('TYPE_FP32'),
      [sample('FP32', { kind: 'zero' })],
      noFile,
    );

    expect(batch!.feed().buffer).not.toBe(batch!.feed().buffer);
  });

  it('makes of samples with ragged inputs what requests would become', async () => {
    const text = `
      name: "m" max_batch_size: 4
      input { name: "A" data_type: TYPE_FP32 dims: [ -1 ] allow_ragged_batch: true }
      batch_input { kind: BATCH_ELEMENT_COUNT target_name: "N" data_type: TYPE_INT32 source_input: "A" }`;
    const ragged = compileModelConfig(parseModelConfig(text).message, { inputs: [], outputs: [] });

    const [batch] = await warmUpBatches(ragged, [sample('FP32', { kind: 'zero' })], noFile);

    const { buffer, tensors } = batch!.feed();
    expect(tensors.map(({ shape }) => shape)).toEqual([[6], [3]]);
    expect([...new Int32Array(buffer, tensors[1]!.byteOffset, 3)]).toEqual([2, 2, 2]);
  });

  it('has no batch dimension where the model has none', async () => {
    const one = { ...sample('FP32', { kind: 'zero' }), requests: 1 };

    const [batch] = await warmUpBatches(config('TYPE_FP32', 0), [one], noFile);

    expect(batch!.feed().tensors[0]!.shape).toEqual([2]);
  });

  it('fills zeros, and empty strings', async () => {
    expect(await feedOf('TYPE_FP32', sample('FP32', { kind: 'zero' }))).toEqual(Buffer.alloc(24));
    expect(await feedOf('TYPE_STRING', sample('BYTES', { kind: 'zero' }))).toEqual(
      Buffer.alloc(24),
    );
    expect(await feedOf('TYPE_STRING', sample('BYTES', { kind: 'random' }))).toEqual(
      Buffer.alloc(24),
    );
  });

  it.each<[DataType, (bytes: Buffer, i: number) => number]>([
    ['BOOL', (bytes, i) => bytes.readUInt8(i)],
    ['UINT8', (bytes, i) => bytes.readUInt8(i)],
    ['INT8', (bytes, i) => bytes.readInt8(i)],
    ['UINT16', (bytes, i) => bytes.readUInt16LE(i * 2)],
    ['INT16', (bytes, i) => bytes.readInt16LE(i * 2)],
    ['UINT32', (bytes, i) => bytes.readUInt32LE(i * 4)],
    ['INT32', (bytes, i) => bytes.readInt32LE(i * 4)],
    ['UINT64', (bytes, i) => Number(bytes.readBigUInt64LE(i * 8))],
    ['INT64', (bytes, i) => Number(bytes.readBigInt64LE(i * 8))],
    ['FP16', (bytes, i) => bytes.readUInt16LE(i * 2) / 0x3c00],
    ['BF16', (bytes, i) => bytes.readUInt16LE(i * 2) / 0x3f80],
    ['FP32', (bytes, i) => bytes.readFloatLE(i * 4)],
    ['FP64', (bytes, i) => bytes.readDoubleLE(i * 8)],
  ])('fills random numbers of %s from 0 to 1', async (dataType, read) => {
    const inputs = [{ name: 'A', dataType, dims: [64], source: { kind: 'random' as const } }];
    const many = { name: 's', requests: 1, runs: 1, inputs };

    const bytes = await feedOf(`TYPE_${dataType}`, many);

    expect(bytes.byteLength).toBe(64 * elementBytes(dataType));
    const values = Array.from({ length: 64 }, (_, i) => read(bytes, i));
    expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(new Set(values).size).toBeGreaterThan(1);
  });

  it('takes the bytes of a file for each request', async () => {
    const file = Buffer.from('abcdefgh');

    const bytes = await feedOf(
      'TYPE_FP32',
      sample('FP32', { kind: 'file', filename: 'raw' }),
      file,
    );

    expect(bytes.toString()).toBe('abcdefghabcdefghabcdefgh');
  });

  it('refuses a file of another size', async () => {
    const raw = sample('FP32', { kind: 'file', filename: 'raw' });

    await expect(feedOf('TYPE_FP32', raw, Buffer.alloc(7))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: "warmup sample 's' expects 8 bytes for input 'A', but raw has 7",
    });
  });

  it.each([
    ['too few', Buffer.from('\x01\0\0\0a')],
    ['cut off', Buffer.from('\x01\0\0\0a\x02\0\0\0b')],
    ['too many', Buffer.from('\0\0\0\0'.repeat(3))],
  ])('refuses a file of strings that are %s', async (_what, file) => {
    const raw = sample('BYTES', { kind: 'file', filename: 'words' });

    await expect(feedOf('TYPE_STRING', raw, file)).rejects.toThrow(
      "warmup sample 's': words of input 'A' is not 2 strings",
    );
  });

  it('takes a file of strings', async () => {
    const raw = sample('BYTES', { kind: 'file', filename: 'words' });
    const words = Buffer.from('\x01\0\0\0a\x02\0\0\0bc');

    expect((await feedOf('TYPE_STRING', raw, words)).byteLength).toBe(3 * words.byteLength);
  });
});

describe('countWarmUp', () => {
  it('counts one execution and a request for each row', () => {
    const statistics = new ModelStatistics();

    countWarmUp(statistics, { rows: 3, now: 1000 }, { inputMs: 1, inferMs: 2, outputMs: 3 });

    expect([statistics.executionCount, statistics.inferenceCount]).toEqual([1, 3]);
    expect(statistics.success).toEqual({ count: 3, ms: 18 });
    expect(statistics.queue).toEqual({ count: 3, ms: 0 });
    expect(statistics.infer).toEqual({ count: 3, ms: 6 });
  });
});
