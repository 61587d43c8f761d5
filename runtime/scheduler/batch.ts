// Many requests -> one feed, and one result -> many responses. mergeBatch makes the only copy of input bytes between the
// socket and ONNX Runtime; responses are views on the result, copied when they are encoded.

import type { ModelConfig, OutputSpec, TensorSpec } from '../config/model-config.js';
import { RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse, RequestedOutput } from '../core/inference.js';
import { elementBytes } from '../core/data-type.js';
import { formatShape, sameRowShape, type Tensor } from '../core/tensor.js';
import type { BatchFeed, BatchResult, FeedTensor, ResultTensor } from './batch-runner.js';
import type { QueueEntry } from './queue-entry.js';

/**
 * Whether two requests of a model may share a batch. Inputs are in the order of the configuration (layer/validate-inputs),
 * and where the configuration fixes every size there is nothing to compare.
 */
export function sameShapeTest(config: ModelConfig): (a: QueueEntry, b: QueueEntry) => boolean {
  const variable = config.inputs.flatMap((spec, index) => (spec.elements === -1 ? [index] : []));
  return (a, b) => {
    for (const index of variable) {
      if (!sameRowShape(a.request.inputs[index]!.shape, b.request.inputs[index]!.shape))
        return false;
    }
    return true;
  };
}

/** The part of an entry that is merged. */
export type MergedEntry = Pick<QueueEntry, 'rows' | 'request'>;

export function mergeBatch(config: ModelConfig, entries: readonly MergedEntry[]): BatchFeed {
  let rows = 0;
  for (const entry of entries) rows += entry.rows;
  const tensors: FeedTensor[] = [];
  let size = 0;
  config.inputs.forEach((spec, index) => {
    let byteLength = 0;
    for (const entry of entries) byteLength += entry.request.inputs[index]!.data.byteLength;
    tensors.push({
      byteOffset: size,
      byteLength,
      shape: feedShape(config, spec, { entries, index, rows }),
    });
    size = align(size + byteLength);
  });
  // Never a slice of Buffer's pool: the memory goes to another thread. Every byte that is read is written below.
  const buffer = Buffer.allocUnsafeSlow(size);
  tensors.forEach(({ byteOffset }, index) => {
    let at = byteOffset;
    for (const entry of entries) {
      const { data } = entry.request.inputs[index]!;
      buffer.set(data, at);
      at += data.byteLength;
    }
  });
  return { rows, buffer: buffer.buffer, tensors };
}

/** The response of each entry, in their order. @throws RuntimeError BACKEND_FAILED when an output has no row for each */
export function splitBatch(
  config: ModelConfig,
  version: string,
  batch: {
    readonly entries: readonly QueueEntry[];
    readonly rows: number;
    readonly result: BatchResult;
  },
): InferenceResponse[] {
  const cuts = config.outputs.map(
    (spec, i) => new OutputCut(config, spec, { ...batch, output: batch.result.outputs[i]! }),
  );
  return batch.entries.map((entry) => ({
    modelName: config.name,
    modelVersion: version,
    outputs: tensorsFor(entry, cuts),
  }));
}

// ---- details below; callers need not read ----

/** To a multiple of 8. Not by bits: those end at 2^31. */
function align(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}

function feedShape(
  config: ModelConfig,
  spec: TensorSpec,
  { entries, index, rows }: { entries: readonly MergedEntry[]; index: number; rows: number },
): number[] {
  const { shape } = entries[0]!.request.inputs[index]!;
  const row = config.batched ? shape.slice(1) : shape;
  const modelRow = spec.reshaped ? renameSizes(row, spec.dims, spec.modelDims) : row;
  return config.batched ? [rows, ...modelRow] : [...modelRow];
}

/** `to` with its -1s replaced, in order, by the sizes that `from` has at its -1s. */
function renameSizes(
  sizes: readonly number[],
  from: readonly number[],
  to: readonly number[],
): number[] {
  const variable = sizes.filter((_, i) => from[i] === -1);
  let next = 0;
  return to.map((size) => (size === -1 ? variable[next++]! : size));
}

function tensorsFor(entry: QueueEntry, cuts: readonly OutputCut[]): Tensor[] {
  const wanted: readonly RequestedOutput[] = entry.request.outputs;
  const tensors: Tensor[] = [];
  for (const cut of cuts) {
    const tensor = cut.next(entry.rows);
    if (wanted.length === 0 || isWanted(entry.request, cut.name)) tensors.push(tensor);
  }
  return tensors;
}

function isWanted({ outputs }: InferenceRequest, name: string): boolean {
  return outputs.some((output) => output.name === name);
}

/** Cuts one output of a batch into the pieces of its requests, from the front. */
class OutputCut {
  readonly name: string;
  readonly #spec: OutputSpec;
  readonly #batched: boolean;
  readonly #data: Uint8Array;
  /** Shape of a row as users see it; the whole shape without batching. */
  readonly #rowShape: readonly number[];
  readonly #rowBytes: number;
  readonly #rowElements: number;
  #at = 0;

  constructor(
    config: ModelConfig,
    spec: OutputSpec,
    { rows, output }: { readonly rows: number; readonly output: ResultTensor },
  ) {
    this.name = spec.name;
    this.#spec = spec;
    this.#batched = config.batched;
    this.#data = output.data;
    const { shape } = output;
    if (config.batched && shape[0] !== rows) throw wrongRows(config, spec, { rows, shape });
    const row = config.batched ? shape.slice(1) : shape;
    this.#rowShape = spec.reshaped ? renameSizes(row, spec.modelDims, spec.dims) : row;
    this.#rowElements = row.reduce((product, size) => product * size, 1);
    this.#rowBytes = this.#rowElements * elementBytes(spec.dataType);
  }

  next(rows: number): Tensor {
    const from = this.#at;
    const to =
      this.#spec.dataType === 'BYTES' ? this.#skipStrings(rows) : from + rows * this.#rowBytes;
    this.#at = to;
    return {
      name: this.name,
      dataType: this.#spec.dataType,
      shape: this.#batched ? [rows, ...this.#rowShape] : this.#rowShape,
      data: this.#data.subarray(from, to),
    };
  }

  /** Strings differ in length: their length prefixes say where a row ends. */
  #skipStrings(rows: number): number {
    const data = this.#data;
    let at = this.#at;
    for (let n = rows * this.#rowElements; n > 0; n--)
      at +=
        4 + (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16)) + data[at + 3]! * 0x1000000;
    return at;
  }
}

function wrongRows(
  { name }: ModelConfig,
  spec: OutputSpec,
  { rows, shape }: { rows: number; shape: readonly number[] },
): RuntimeError {
  return new RuntimeError(
    'BACKEND_FAILED',
    `model '${name}' does not keep the batch dimension: output '${spec.name}' has shape ${formatShape(shape)} for a batch ` +
      `of ${rows}. Set max_batch_size to 0 if the model cannot be batched`,
  );
}
