// One output of a batch, cut by rows into the pieces of its requests. The pieces are views on the result.

import type { ModelConfig, OutputSpec } from '../config/model-config.js';
import { elementBytes } from '../core/data-type.js';
import { RuntimeError } from '../core/errors.js';
import { formatShape, type Tensor } from '../core/tensor.js';
import type { ResultTensor } from './batch-runner.js';
import { userRow } from './model-shape.js';
import type { QueueEntry } from './queue-entry.js';

/** The part of an entry that is merged. */
export type MergedEntry = Pick<QueueEntry, 'rows' | 'request'>;

/** Gives each request of a batch its piece of one output, in their order. */
export interface OutputPieces {
  readonly name: string;
  next(entry: MergedEntry): Tensor;
}

export class OutputCut implements OutputPieces {
  readonly name: string;
  readonly #spec: OutputSpec;
  readonly #batched: boolean;
  readonly #data: Uint8Array;
  /** Shape of a row as users see it; the whole shape without batching. */
  readonly #rowShape: readonly number[];
  readonly #rowBytes: number;
  readonly #rowElements: number;
  #at = 0;

  /** @throws RuntimeError BACKEND_FAILED when the output has not a row for each of the batch */
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
    this.#rowShape = userRow(spec, config.batched ? shape.slice(1) : shape);
    this.#rowElements = this.#rowShape.reduce((product, size) => product * size, 1);
    this.#rowBytes = this.#rowElements * elementBytes(spec.dataType);
  }

  next({ rows }: MergedEntry): Tensor {
    const from = this.#at;
    const to =
      this.#spec.dataType === 'BYTES'
        ? stringsEnd(this.#data, from, rows * this.#rowElements)
        : from + rows * this.#rowBytes;
    this.#at = to;
    return {
      name: this.name,
      dataType: this.#spec.dataType,
      shape: this.#batched ? [rows, ...this.#rowShape] : this.#rowShape,
      data: this.#data.subarray(from, to),
    };
  }
}

/** Strings differ in length: their length prefixes say where `count` of them end that begin at `from`. */
export function stringsEnd(data: Uint8Array, from: number, count: number): number {
  let at = from;
  for (let n = count; n > 0; n--)
    at +=
      4 + (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16)) + data[at + 3]! * 0x1000000;
  return at;
}

// ---- details below; callers need not read ----

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
