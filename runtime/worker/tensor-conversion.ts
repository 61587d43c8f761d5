// Raw v2 bytes <-> tensors of onnxruntime-node. Numbers are views on the same memory; strings and BF16 are converted.

import { Tensor as OrtTensor } from 'onnxruntime-node';
import type { DataType } from '../core/data-type.js';
import { bug } from '../core/errors.js';

type OrtType = OrtTensor.Type;

const ORT_TYPE: Record<Exclude<DataType, 'INVALID'>, OrtType> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
  BF16: 'float32',
};

const BY_ORT_TYPE = new Map(
  Object.entries(ORT_TYPE)
    .filter(([name]) => name !== 'BF16')
    .map(([name, type]) => [type, name as DataType]),
);

/** Undefined for types the protocol has no name for. */
export function dataTypeFromOrt(type: string): DataType | undefined {
  return BY_ORT_TYPE.get(type as OrtType);
}

type ViewConstructor = new (
  buffer: ArrayBuffer,
  byteOffset: number,
  length: number,
) => OrtTensor['data'];

const VIEWS: Partial<Record<DataType, [view: ViewConstructor, elementBytes: number]>> = {
  BOOL: [Uint8Array, 1],
  UINT8: [Uint8Array, 1],
  UINT16: [Uint16Array, 2],
  UINT32: [Uint32Array, 4],
  UINT64: [BigUint64Array, 8],
  INT8: [Int8Array, 1],
  INT16: [Int16Array, 2],
  INT32: [Int32Array, 4],
  INT64: [BigInt64Array, 8],
  FP16: [Uint16Array, 2],
  FP32: [Float32Array, 4],
  FP64: [Float64Array, 8],
};

/** Where the bytes of a tensor lie; the offset is a multiple of 8. */
export interface RawTensor {
  readonly buffer: ArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly shape: readonly number[];
}

export function toOrtTensor(type: DataType, raw: RawTensor): OrtTensor {
  if (type === 'INVALID') throw bug('a tensor without a type reached the model');
  return new OrtTensor(ORT_TYPE[type], tensorData(type, raw), raw.shape);
}

export function fromOrtTensor(type: DataType, tensor: OrtTensor): Uint8Array {
  if (type === 'BYTES') return encodeStrings(tensor.data as string[]);
  if (type === 'BF16') return narrow(tensor.data as Float32Array);
  const { buffer, byteOffset, byteLength } = tensor.data as Uint8Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

// ---- details below; callers need not read ----

function tensorData(
  type: DataType,
  { buffer, byteOffset, byteLength }: RawTensor,
): OrtTensor['data'] {
  if (type === 'BYTES') return decodeStrings(Buffer.from(buffer, byteOffset, byteLength));
  if (type === 'BF16') return widen(new Uint16Array(buffer, byteOffset, byteLength / 2));
  const [View, elementBytes] = VIEWS[type]!;
  return new View(buffer, byteOffset, byteLength / elementBytes);
}

/** BF16 is the upper half of a FLOAT. */
function widen(values: Uint16Array): Float32Array {
  const bits = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = values[i]! << 16;
  return new Float32Array(bits.buffer);
}

/** Exact: the model made these FLOATs from BF16 values. */
function narrow(values: Float32Array): Uint8Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) halves[i] = bits[i]! >>> 16;
  return new Uint8Array(halves.buffer);
}

/** The lengths were checked when the request came (layer/validate-inputs). */
function decodeStrings(bytes: Buffer): string[] {
  const strings: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const from = at + 4;
    at = from + bytes.readUInt32LE(at);
    strings.push(bytes.toString('utf8', from, at));
  }
  return strings;
}

function encodeStrings(strings: readonly string[]): Uint8Array {
  const lengths = strings.map((text) => Buffer.byteLength(text));
  // Not from Buffer's pool: the memory goes to another thread.
  const bytes = Buffer.allocUnsafeSlow(lengths.reduce((sum, length) => sum + 4 + length, 0));
  let at = 0;
  strings.forEach((text, i) => {
    bytes.writeUInt32LE(lengths[i]!, at);
    bytes.write(text, at + 4);
    at += 4 + lengths[i]!;
  });
  return bytes;
}
