// Samples of a configuration -> the batches that instances run before they serve, and how those are counted: as Triton, like
// requests, so that the statistics of a model that is ready begin with its warm-up.

import type { ModelConfig } from '../config/model-config.js';
import type { WarmUpInput, WarmUpSample } from '../config/warm-up-config.js';
import { Timings } from '../core/call.js';
import { elementBytes, type DataType } from '../core/data-type.js';
import { RuntimeError } from '../core/errors.js';
import { NO_PARAMETERS, type InferenceRequest } from '../core/inference.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import { elementCount, type Tensor } from '../core/tensor.js';
import { batchFormOf } from './batch-form.js';
import type { BatchResult, WarmUpBatch } from './batch-runner.js';

/** Reads a file of the model's directory warmup/. @throws RuntimeError */
export type ReadWarmUpFile = (filename: string) => Promise<Uint8Array>;

/** One for each run of each sample, in their order. @throws RuntimeError INVALID_ARGUMENT for a file of the wrong size */
export async function warmUpBatches(
  config: ModelConfig,
  samples: readonly WarmUpSample[],
  readFile: ReadWarmUpFile,
): Promise<WarmUpBatch[]> {
  const form = batchFormOf(config);
  const runs = await warmUpRequests(config, samples, readFile);
  return runs.map(({ name, requests }) => {
    const entries = requests.map((request) => ({ rows: 1, request }));
    return { name, rows: entries.length, feed: () => form.merge(entries) };
  });
}

/** The same, as the requests of each. */
export async function warmUpRequests(
  config: ModelConfig,
  samples: readonly WarmUpSample[],
  readFile: ReadWarmUpFile,
): Promise<{ readonly name: string; readonly requests: readonly InferenceRequest[] }[]> {
  const batches: { name: string; requests: InferenceRequest[] }[] = [];
  for (const sample of samples) {
    const request = await requestOf(config, sample, readFile);
    const requests = Array.from({ length: sample.requests }, () => request);
    for (let run = 0; run < sample.runs; run++) batches.push({ name: sample.name, requests });
  }
  return batches;
}

/** Counts one run of a batch of `rows` requests. */
export function countWarmUp(
  statistics: ModelStatistics,
  { rows, now }: { readonly rows: number; readonly now: number },
  result: Omit<BatchResult, 'outputs'>,
): void {
  const { inputMs, inferMs, outputMs } = result;
  const timings = new Timings();
  timings.receivedAt = now - inputMs - inferMs - outputMs;
  timings.queuedAt = timings.dispatchedAt = timings.receivedAt;
  Object.assign(timings, { inputMs, inferMs, outputMs });
  statistics.executed(rows, timings);
  for (let row = 0; row < rows; row++) statistics.succeeded(timings, now);
}

// ---- details below; callers need not read ----

async function requestOf(
  config: ModelConfig,
  sample: WarmUpSample,
  readFile: ReadWarmUpFile,
): Promise<InferenceRequest> {
  const inputs: Tensor[] = [];
  for (const { name, dataType, dims, ...input } of sample.inputs) {
    const shape = config.batched ? [1, ...dims] : dims;
    const data = await dataOf({ name, dataType, dims, ...input }, sample.name, readFile);
    inputs.push({ name, dataType, shape, data });
  }
  return { modelName: config.name, id: '', parameters: NO_PARAMETERS, inputs, outputs: [] };
}

/** Strings are empty unless a file says otherwise, as in Triton. */
async function dataOf(
  { name, dataType, dims, source }: WarmUpInput,
  sample: string,
  readFile: ReadWarmUpFile,
): Promise<Uint8Array> {
  const elements = elementCount(dims);
  const size = elements * (elementBytes(dataType) || 4);
  if (source.kind === 'zero' || (source.kind === 'random' && dataType === 'BYTES'))
    return new Uint8Array(size);
  if (source.kind === 'random') return randomData(dataType, elements);
  const data = await readFile(source.filename);
  if (dataType === 'BYTES') {
    checkStrings(
      data,
      elements,
      `warmup sample '${sample}': ${source.filename} of input '${name}'`,
    );
    return data;
  }
  if (data.byteLength === size) return data;
  const text = `warmup sample '${sample}' expects ${size} bytes for input '${name}', but ${source.filename} has ${data.byteLength}`;
  throw new RuntimeError('INVALID_ARGUMENT', text);
}

function checkStrings(data: Uint8Array, elements: number, what: string): void {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = 0;
  let found = 0;
  for (; at + 4 <= data.byteLength; found++) at += 4 + view.getUint32(at, true);
  if (at === data.byteLength && found === elements) return;
  const text = `${what} is not ${elements} strings, each preceded by its length in 4 bytes`;
  throw new RuntimeError('INVALID_ARGUMENT', text);
}

/** Numbers from 0 to 1, whole ones 0 or 1: they are in the range of every table that a model looks them up in. */
function randomData(dataType: DataType, elements: number): Uint8Array {
  const data = new DataView(new ArrayBuffer(elements * elementBytes(dataType)));
  for (let i = 0; i < elements; i++) WRITE_RANDOM[dataType]?.(data, i);
  return new Uint8Array(data.buffer);
}

type WriteRandom = (data: DataView, index: number) => void;

const bit = (): number => (Math.random() < 0.5 ? 0 : 1);
const below = (limit: number): number => Math.floor(Math.random() * limit);

/** Half floats by their bits, which count up from 0 to 1: 0x3c00 (FP16) and 0x3f80 (BF16). */
const WRITE_RANDOM: Partial<Record<DataType, WriteRandom>> = {
  BOOL: (data, i) => data.setUint8(i, bit()),
  UINT8: (data, i) => data.setUint8(i, bit()),
  INT8: (data, i) => data.setInt8(i, bit()),
  UINT16: (data, i) => data.setUint16(i * 2, bit(), true),
  INT16: (data, i) => data.setInt16(i * 2, bit(), true),
  UINT32: (data, i) => data.setUint32(i * 4, bit(), true),
  INT32: (data, i) => data.setInt32(i * 4, bit(), true),
  UINT64: (data, i) => data.setBigUint64(i * 8, BigInt(bit()), true),
  INT64: (data, i) => data.setBigInt64(i * 8, BigInt(bit()), true),
  FP16: (data, i) => data.setUint16(i * 2, below(0x3c00), true),
  BF16: (data, i) => data.setUint16(i * 2, below(0x3f80), true),
  FP32: (data, i) => data.setFloat32(i * 4, Math.random(), true),
  FP64: (data, i) => data.setFloat64(i * 8, Math.random(), true),
};
