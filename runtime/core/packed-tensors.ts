// Tensors on their way to another thread: all of one message in one buffer, which is handed over. Packing is the only copy.

import type { DataType } from './data-type.js';
import type { Tensor } from './tensor.js';

export interface PackedTensor {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
  /** In the buffer; a multiple of 8. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface PackedTensors {
  /** Not a slice of anything: it may be transferred. */
  readonly buffer: ArrayBuffer;
  readonly lists: readonly (readonly PackedTensor[])[];
}

/** @throws RangeError when it is too much for one buffer */
export function packTensors(lists: readonly (readonly Tensor[])[]): PackedTensors {
  let size = 0;
  const packed = lists.map((tensors) =>
    tensors.map(({ name, dataType, shape, data }): PackedTensor => {
      const byteOffset = size;
      size = Math.ceil((size + data.byteLength) / 8) * 8;
      return { name, dataType, shape, byteOffset, byteLength: data.byteLength };
    }),
  );
  const bytes = new Uint8Array(size);
  lists.forEach((tensors, list) =>
    tensors.forEach(({ data }, index) => bytes.set(data, packed[list]![index]!.byteOffset)),
  );
  return { buffer: bytes.buffer, lists: packed };
}

/** Views on the buffer. */
export function unpackTensors({ buffer, lists }: PackedTensors): Tensor[][] {
  return lists.map((tensors) =>
    tensors.map(({ name, dataType, shape, byteOffset, byteLength }) => {
      return { name, dataType, shape, data: new Uint8Array(buffer, byteOffset, byteLength) };
    }),
  );
}
