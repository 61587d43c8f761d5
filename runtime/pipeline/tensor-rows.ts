// A tensor seen as rows along its first dimension: where each begins and ends, and its single elements. Rows of fixed size are found by
// their stride, rows of BYTES by walking the lengths once.

import { elementBytes } from '../core/data-type.js';
import { RuntimeError } from '../core/errors.js';
import { elementCount, formatShape, type Tensor } from '../core/tensor.js';

export class TensorRows {
  readonly tensor: Tensor;
  readonly rows: number;
  /** Elements of a row. */
  readonly elements: number;
  readonly #rowBytes: number;
  /** Of BYTES: where each row begins, and where the last one ends. */
  readonly #starts: Float64Array | undefined;

  /** @throws RuntimeError BACKEND_FAILED when the bytes are not those of the shape */
  constructor(tensor: Tensor) {
    const { shape, dataType, data } = tensor;
    this.tensor = tensor;
    this.rows = shape[0] ?? 0;
    this.elements = elementCount(shape.slice(1));
    this.#rowBytes = this.elements * elementBytes(dataType);
    this.#starts = dataType === 'BYTES' ? rowStarts(tensor, this.rows, this.elements) : undefined;
    if ((this.#starts?.[this.rows] ?? this.rows * this.#rowBytes) !== data.length)
      throw wrongBytes(tensor);
  }

  /** Where `row` begins in the data; with the number of rows, where the last one ends. */
  start(row: number): number {
    return this.#starts ? this.#starts[row]! : row * this.#rowBytes;
  }
}

/** Bytes of the BYTES element that begins at `at`, without its length. */
export function stringLength(data: Uint8Array, at: number): number {
  return (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16)) + data[at + 3]! * 0x1000000;
}

// ---- details below; callers need not read ----

function rowStarts(tensor: Tensor, rows: number, elements: number): Float64Array {
  const { data } = tensor;
  const starts = new Float64Array(rows + 1);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    starts[row] = at;
    for (let left = elements; left > 0; left--) {
      if (at + 4 > data.length) throw wrongBytes(tensor);
      at += 4 + stringLength(data, at);
    }
  }
  starts[rows] = at;
  return starts;
}

function wrongBytes({ name, dataType, shape, data }: Tensor): RuntimeError {
  const text = `tensor '${name}' has ${data.length} bytes, which are not those of ${dataType} ${formatShape(shape)}`;
  return new RuntimeError('BACKEND_FAILED', text);
}
