// Tensors of the protocol, which are bytes, and tensors of a model written in TypeScript, which are arrays. Numbers are views where
// the bytes allow it.

import type { Tensor as RawTensor } from '../core/tensor.js';
import { ModelError, type DataType, type Tensor } from './model-api.js';
import { bfloat16Of, floatOfBfloat16, floatOfHalf, halfOf } from './small-floats.js';

/** `data` must begin at a multiple of 8 of its buffer. */
export function arrayTensor({ dataType, shape, data }: RawTensor): Tensor {
  if (dataType === 'INVALID') throw new ModelError('a tensor has no data type');
  return { dataType, shape, data: READ[dataType](data) };
}

/** A view on the elements, or a copy. The shape is plain numbers, whatever the model has made it of: it goes to another thread. */
export function rawTensor(name: string, { dataType, shape, data }: Tensor): RawTensor {
  return { name, dataType, shape: [...shape], data: bytesOf(dataType, data) };
}

// ---- details below; callers need not read ----

type NumberArray = Exclude<Tensor['data'], Uint8Array[]>;

function view<Arrays>(array: {
  new (buffer: ArrayBuffer, offset: number, length: number): Arrays;
  readonly BYTES_PER_ELEMENT: number;
}): (data: Uint8Array) => Arrays {
  return ({ buffer, byteOffset, byteLength }) =>
    new array(buffer as ArrayBuffer, byteOffset, byteLength / array.BYTES_PER_ELEMENT);
}

function widened(floatOf: (bits: number) => number): (data: Uint8Array) => Float32Array {
  const bits = view(Uint16Array);
  return (data) => Float32Array.from(bits(data), floatOf);
}

const READ: Record<DataType, (data: Uint8Array) => Tensor['data']> = {
  BOOL: (data) => data,
  UINT8: (data) => data,
  UINT16: view(Uint16Array),
  UINT32: view(Uint32Array),
  UINT64: view(BigUint64Array),
  INT8: view(Int8Array),
  INT16: view(Int16Array),
  INT32: view(Int32Array),
  INT64: view(BigInt64Array),
  FP16: widened(floatOfHalf),
  BF16: widened(floatOfBfloat16),
  FP32: view(Float32Array),
  FP64: view(Float64Array),
  BYTES: elementsOf,
};

function elementsOf(data: Uint8Array): Uint8Array[] {
  const lengths = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const elements: Uint8Array[] = [];
  for (let at = 0; at < data.length;) {
    const end = at + 4 + lengths.getUint32(at, true);
    elements.push(data.subarray(at + 4, end));
    at = end;
  }
  return elements;
}

function bytesOf(dataType: DataType, data: Tensor['data']): Uint8Array {
  if (dataType === 'BYTES') return joined(data as Uint8Array[]);
  if (dataType === 'FP16') return narrowed(data as Float32Array, halfOf);
  if (dataType === 'BF16') return narrowed(data as Float32Array, bfloat16Of);
  const { buffer, byteOffset, byteLength } = data as NumberArray;
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

function joined(elements: readonly Uint8Array[]): Uint8Array {
  const size = elements.reduce((sum, { byteLength }) => sum + 4 + byteLength, 0);
  const bytes = new Uint8Array(size);
  const lengths = new DataView(bytes.buffer);
  let at = 0;
  for (const element of elements) {
    lengths.setUint32(at, element.byteLength, true);
    bytes.set(element, at + 4);
    at += 4 + element.byteLength;
  }
  return bytes;
}

function narrowed(values: Float32Array, bitsOf: (value: number) => number): Uint8Array {
  return new Uint8Array(Uint16Array.from(values, bitsOf).buffer);
}
