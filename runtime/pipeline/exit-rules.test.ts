import { describe, expect, it } from 'vitest';
import type { ExitRule, ExitTest } from '../config/cascade-config.js';
import type { DataType } from '../core/data-type.js';
import { lengthPrefixed, rawTensor } from '../testing/build.js';
import { decideExits } from './exit-rules.js';
import { TensorRows } from './tensor-rows.js';

/** One element a row. */
function column(dataType: DataType, data: ArrayBufferView, rows: number, elements = 1): TensorRows {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  // At an odd place, as tensors on the wire are.
  const odd = new Uint8Array(bytes.length + 1);
  odd.set(bytes, 1);
  return new TensorRows(
    rawTensor('t', dataType, { shape: [rows, elements], data: odd.subarray(1) }),
  );
}

function rule(test: ExitTest, index = 0): ExitRule {
  return { tensor: 't', index, test, decision: '' };
}

function rowsThatLeave(tensor: TensorRows, ...rules: ExitRule[]): number[] {
  return [...decideExits(rules, tensor.rows, () => tensor)];
}

const above = (value: number, index?: number): ExitRule => rule({ kind: 'above', value }, index);
const below = (value: number, index?: number): ExitRule => rule({ kind: 'below', value }, index);
const equals = (value: number, index?: number): ExitRule => rule({ kind: 'equals', value }, index);
const says = (value: string, index?: number): ExitRule =>
  rule({ kind: 'equals_string', value }, index);

const NO = -1;

describe('decideExits', () => {
  const THREE: [DataType, ArrayBufferView][] = [
    ['UINT8', Uint8Array.of(1, 2, 3)],
    ['UINT16', Uint16Array.of(1, 2, 3)],
    ['UINT32', Uint32Array.of(1, 2, 3)],
    ['UINT64', BigUint64Array.of(1n, 2n, 3n)],
    ['INT8', Int8Array.of(1, 2, 3)],
    ['INT16', Int16Array.of(1, 2, 3)],
    ['INT32', Int32Array.of(1, 2, 3)],
    ['INT64', BigInt64Array.of(1n, 2n, 3n)],
    ['FP16', Uint16Array.of(0x3c00, 0x4000, 0x4200)],
    ['BF16', Uint16Array.of(0x3f80, 0x4000, 0x4040)],
    ['FP32', Float32Array.of(1, 2, 3)],
    ['FP64', Float64Array.of(1, 2, 3)],
  ];

  it.each(THREE)('compares %s above, below and equal', (type, data) => {
    const tensor = column(type, data, 3);

    expect(rowsThatLeave(tensor, above(2))).toEqual([NO, NO, 0]);
    expect(rowsThatLeave(tensor, below(2))).toEqual([0, NO, NO]);
    expect(rowsThatLeave(tensor, equals(2))).toEqual([NO, 0, NO]);
    expect(rowsThatLeave(tensor, above(1.5), below(1.5))).toEqual([1, 0, 0]);
  });

  const NEGATIVE: [DataType, ArrayBufferView][] = [
    ['INT8', Int8Array.of(-2)],
    ['INT16', Int16Array.of(-2)],
    ['INT32', Int32Array.of(-2)],
    ['INT64', BigInt64Array.of(-2n)],
    ['FP16', Uint16Array.of(0xc000)],
    ['BF16', Uint16Array.of(0xc000)],
    ['FP32', Float32Array.of(-2)],
    ['FP64', Float64Array.of(-2)],
  ];

  it.each(NEGATIVE)('knows the sign of %s', (type, data) => {
    expect(rowsThatLeave(column(type, data, 1), equals(-2))).toEqual([0]);
  });

  it('takes BOOL for 0 and 1', () => {
    const tensor = column('BOOL', Uint8Array.of(0, 1), 2);

    expect(rowsThatLeave(tensor, equals(1), equals(0))).toEqual([1, 0]);
  });

  it('does not round integers of 64 bits', () => {
    const signed = column('INT64', BigInt64Array.of(2n ** 53n, 2n ** 53n + 1n), 2);
    const unsigned = column('UINT64', BigUint64Array.of(2n ** 64n - 1n, 2n ** 63n), 2);

    expect(rowsThatLeave(signed, equals(2 ** 53))).toEqual([0, NO]);
    expect(rowsThatLeave(signed, above(2 ** 53))).toEqual([NO, 0]);
    expect(rowsThatLeave(unsigned, equals(2 ** 64), below(2 ** 64))).toEqual([1, 1]);
    expect(rowsThatLeave(unsigned, equals(2 ** 63))).toEqual([NO, 0]);
  });

  it('does not round an FP32 to the threshold', () => {
    const tensor = column('FP32', Float32Array.of(0.95, 0.1), 2);

    expect(rowsThatLeave(tensor, above(0.95))).toEqual([NO, NO]);
    expect(rowsThatLeave(tensor, equals(0.1))).toEqual([NO, NO]);
    expect(rowsThatLeave(tensor, equals(Math.fround(0.1)))).toEqual([NO, 0]);
  });

  it.each<[string, number, number]>([
    ['the smallest', 0x0001, 2 ** -24],
    ['the largest below the normal ones', 0x03ff, 1023 * 2 ** -24],
    ['the smallest normal one', 0x0400, 2 ** -14],
    ['the largest', 0x7bff, 65504],
    ['infinity', 0x7c00, Infinity],
    ['minus infinity', 0xfc00, -Infinity],
    ['minus zero', 0x8000, 0],
  ])('reads of FP16 %s', (_name, bits, value) => {
    expect(rowsThatLeave(column('FP16', Uint16Array.of(bits), 1), equals(value))).toEqual([0]);
  });

  const NAN: [DataType, ArrayBufferView][] = [
    ['FP16', Uint16Array.of(0x7e00)],
    ['BF16', Uint16Array.of(0x7fc0)],
    ['FP32', Float32Array.of(NaN)],
    ['FP64', Float64Array.of(NaN)],
  ];

  it.each(NAN)('lets no %s NaN go', (type, data) => {
    const rules = [above(-Infinity), below(Infinity), equals(0), above(0), below(0), equals(NaN)];

    expect(rowsThatLeave(column(type, data, 1), ...rules)).toEqual([NO]);
  });

  it('looks at one element of the row, or at any', () => {
    const tensor = column('FP32', Float32Array.of(0, 9, 0, 9, 0, 0, 0, 0, 0), 3, 3);

    expect(rowsThatLeave(tensor, above(5))).toEqual([NO, 0, NO]);
    expect(rowsThatLeave(tensor, above(5, 1))).toEqual([0, NO, NO]);
    expect(rowsThatLeave(tensor, above(5, 2))).toEqual([NO, NO, NO]);
    expect(rowsThatLeave(tensor, above(5, -1))).toEqual([0, 0, NO]);
  });

  it('lets no row go by an element it does not have', () => {
    const tensor = column('FP32', Float32Array.of(1, 1), 1, 2);

    expect(rowsThatLeave(tensor, equals(1, 2))).toEqual([NO]);
    expect(rowsThatLeave(column('FP32', new Float32Array(0), 1, 0), below(1, -1))).toEqual([NO]);
  });

  it('compares strings by their bytes', () => {
    const tensor = new TensorRows(
      rawTensor('t', 'BYTES', {
        shape: [4, 2],
        data: lengthPrefixed(['spam', '', 'spa', 'spam', 'größer', 'x', 'spams', '']),
      }),
    );

    expect(rowsThatLeave(tensor, says('spam'))).toEqual([0, NO, NO, NO]);
    expect(rowsThatLeave(tensor, says('spam', 1))).toEqual([NO, 0, NO, NO]);
    expect(rowsThatLeave(tensor, says('spam', -1))).toEqual([0, 0, NO, NO]);
    expect(rowsThatLeave(tensor, says('größer'))).toEqual([NO, NO, 0, NO]);
    expect(rowsThatLeave(tensor, says('', -1))).toEqual([0, NO, NO, 0]);
  });

  it('lets a row go by the first rule that holds for it', () => {
    const tensor = column('FP32', Float32Array.of(0.99, 0.5, 0.01), 3);

    expect(rowsThatLeave(tensor, above(0.95), above(0.9), below(0.05))).toEqual([0, NO, 2]);
    expect(rowsThatLeave(tensor)).toEqual([NO, NO, NO]);
  });

  it('is not led astray by a type that its test does not fit', () => {
    const texts = rawTensor('t', 'BYTES', { shape: [1, 1], data: lengthPrefixed(['1']) });

    expect(rowsThatLeave(new TensorRows(texts), equals(1))).toEqual([NO]);
    expect(rowsThatLeave(column('INT8', Int8Array.of(1), 1), says('1'))).toEqual([NO]);
  });
});

describe('TensorRows', () => {
  it.each([
    ['FP32', [2, 1], new Uint8Array(7)],
    ['FP32', [2, 1], new Uint8Array(12)],
    ['BYTES', [2, 1], lengthPrefixed(['a'])],
    ['BYTES', [1, 1], lengthPrefixed(['a', 'b'])],
    ['BYTES', [1, 1], lengthPrefixed(['abc']).subarray(0, 5)],
  ] as [DataType, number[], Uint8Array][])(
    'refuses bytes that are not those of %s %j',
    (dataType, shape, data) => {
      expect(() => new TensorRows(rawTensor('t', dataType, { shape, data }))).toThrow(
        `tensor 't' has ${data.length} bytes, which are not those of ${dataType} [${shape.join(',')}]`,
      );
    },
  );
});
