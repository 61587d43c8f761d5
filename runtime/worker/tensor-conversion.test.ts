import { describe, expect, it } from 'vitest';
import type { DataType } from '../core/data-type.js';
import { lengthPrefixed } from '../testing/build.js';
import { dataTypeFromOrt, fromOrtTensor, toOrtTensor } from './tensor-conversion.js';

/** Bytes at a place in a buffer where only multiples of 8 are allowed. */
function placed(bytes: Uint8Array): {
  buffer: ArrayBuffer;
  byteOffset: number;
  byteLength: number;
} {
  const buffer = new ArrayBuffer(16 + bytes.length);
  new Uint8Array(buffer).set(bytes, 8);
  return { buffer, byteOffset: 8, byteLength: bytes.length };
}

function roundTrip(type: DataType, bytes: Uint8Array, shape: number[]): Uint8Array {
  return fromOrtTensor(type, toOrtTensor(type, { ...placed(bytes), shape }));
}

describe('tensor conversion', () => {
  it.each([
    ['BOOL', 2],
    ['UINT8', 2],
    ['UINT16', 4],
    ['UINT32', 8],
    ['UINT64', 16],
    ['INT8', 2],
    ['INT16', 4],
    ['INT32', 8],
    ['INT64', 16],
    ['FP16', 4],
    ['FP32', 8],
    ['FP64', 16],
    ['BF16', 4],
  ] as const)('keeps every bit of %s', (type, length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => (type === 'BOOL' ? i % 2 : i + 1));

    expect([...roundTrip(type, bytes, [2])]).toEqual([...bytes]);
  });

  it('does not copy numbers', () => {
    const raw = placed(new Uint8Array(8));

    const { data } = toOrtTensor('FP32', { ...raw, shape: [2] });

    expect((data as Float32Array).buffer).toBe(raw.buffer);
  });

  it('keeps strings of any length and language', () => {
    const bytes = lengthPrefixed(['', 'a', 'é世\n', 'long '.repeat(100)]);

    expect(Buffer.from(roundTrip('BYTES', bytes, [4]))).toEqual(bytes);
  });

  it('widens BF16 to the same value, NaN and infinities included', () => {
    const halves = Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0xff80, 0x7fc1, 0x0001);

    const { data } = toOrtTensor('BF16', { ...placed(new Uint8Array(halves.buffer)), shape: [6] });

    expect([...(data as Float32Array)]).toEqual([1, -2, Infinity, -Infinity, NaN, 2 ** -133]);
    expect([...roundTrip('BF16', new Uint8Array(halves.buffer), [6])]).toEqual([
      ...new Uint8Array(halves.buffer),
    ]);
  });

  it('knows the types of ONNX Runtime', () => {
    expect(['float32', 'string', 'bool', 'float16', 'int4'].map(dataTypeFromOrt)).toEqual([
      'FP32',
      'BYTES',
      'BOOL',
      'FP16',
      undefined,
    ]);
  });
});
