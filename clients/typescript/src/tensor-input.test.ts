import { describe, expect, it } from 'vitest';
import { fromBfloat16, fromFloat16 } from './half-float.js';
import { InferdError } from './inferd-error.js';
import { encodeInput, type Input, type TensorSignature } from './tensor-input.js';

function told(input: Input, signature?: TensorSignature): [string, readonly number[], string] {
  const { datatype, shape, raw } = encodeInput('x', input, signature);
  return [datatype, shape, Buffer.from(raw).toString('hex')];
}

function refusal(input: unknown, signature?: TensorSignature): string {
  try {
    encodeInput('x', input as Input, signature);
  } catch (error) {
    if (error instanceof InferdError && error.code === 'INVALID_ARGUMENT') return error.details;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('an input', () => {
  it.each<[Input, string, readonly number[], string]>([
    [new Float32Array([1, 2]), 'FP32', [2], '0000803f00000040'],
    [new Float64Array([1]), 'FP64', [1], '000000000000f03f'],
    [new Int8Array([-1]), 'INT8', [1], 'ff'],
    [new Int16Array([-1]), 'INT16', [1], 'ffff'],
    [new Int32Array([-1]), 'INT32', [1], 'ffffffff'],
    [new BigInt64Array([-2n]), 'INT64', [1], 'feffffffffffffff'],
    [new Uint8Array([1, 2]), 'UINT8', [2], '0102'],
    [new Uint8ClampedArray([300]), 'UINT8', [1], 'ff'],
    [new Uint16Array([1]), 'UINT16', [1], '0100'],
    [new Uint32Array([1]), 'UINT32', [1], '01000000'],
    [new BigUint64Array([1n]), 'UINT64', [1], '0100000000000000'],
    [[1n, -1n], 'INT64', [2], '0100000000000000ffffffffffffffff'],
    [[true, false], 'BOOL', [2], '0100'],
    ['hé', 'BYTES', [1], '0300000068c3a9'],
    [['a', ''], 'BYTES', [2], '010000006100000000'],
    [[Buffer.from([255])], 'BYTES', [1], '01000000ff'],
    [[['a'], ['b']], 'BYTES', [2, 1], '01000000610100000062'],
  ])('%o needs no datatype', (input, datatype, shape, hex) => {
    expect(told(input)).toEqual([datatype, shape, hex]);
  });

  it.each<[Input, string, readonly number[], string]>([
    [{ datatype: 'FP32', data: [1, 2] }, 'FP32', [2], '0000803f00000040'],
    [{ datatype: 'INT64', data: [1] }, 'INT64', [1], '0100000000000000'],
    [{ datatype: 'INT32', data: [[1], [2]] }, 'INT32', [2, 1], '0100000002000000'],
    [{ datatype: 'FP16', data: new Uint16Array([0x3c00]) }, 'FP16', [1], '003c'],
    [{ datatype: 'BF16', data: new Uint16Array([0x3f80]) }, 'BF16', [1], '803f'],
    [{ datatype: 'FP16', data: [1] }, 'FP16', [1], '003c'],
    [{ datatype: 'BF16', data: new Float32Array([1]) }, 'BF16', [1], '803f'],
    [{ datatype: 'BOOL', data: new Uint8Array([1]) }, 'BOOL', [1], '01'],
    [{ datatype: 'BOOL', data: [1, 0] }, 'BOOL', [2], '0100'],
    [{ datatype: 'FP32', data: Buffer.alloc(8) }, 'FP32', [2], '0000000000000000'],
    [{ shape: [2, 1], data: new Int8Array(2) }, 'INT8', [2, 1], '0000'],
    [{ shape: [], data: new Int8Array(1) }, 'INT8', [], '00'],
    [{ datatype: 'FP32', data: [] }, 'FP32', [0], ''],
    [{ datatype: 'BYTES', data: [], shape: [0, 1] }, 'BYTES', [0, 1], ''],
  ])('%o is taken at its word', (input, datatype, shape, hex) => {
    expect(told(input)).toEqual([datatype, shape, hex]);
  });

  it('that is a typed array is not copied, but seen through its window', () => {
    const array = new Float32Array([1, 2, 3, 4]).subarray(1, 3);

    const { raw } = encodeInput('x', array);

    expect(raw.buffer).toBe(array.buffer);
    expect([raw.byteOffset, raw.byteLength]).toEqual([4, 8]);
  });

  it.each<[Input, readonly number[], readonly number[]]>([
    [new Float32Array(6), [-1, 3], [2, 3]],
    [new Float32Array(6), [2, 3], [2, 3]],
    [new Float32Array(6), [-1, -1], [6]],
    [new Float32Array(5), [-1, 3], [5]],
    [[[1, 2]], [-1, 2], [1, 2]],
    [
      [1, 2],
      [-1, 1],
      [2, 1],
    ],
    [{ data: new Float32Array(6), shape: [3, 2] }, [-1, 3], [3, 2]],
  ])('%o of a model with shape %j has shape %j', (input, known, shape) => {
    expect(told(input, { datatype: 'FP32', shape: known })[1]).toEqual(shape);
  });

  it.each<[unknown, string]>([
    [
      [1, 2],
      "input 'x': a list of numbers needs a datatype; write { datatype: 'FP32', data: [...] }, or give a typed array",
    ],
    [
      { shape: [3], data: new Int8Array(2) },
      "input 'x': shape [3] has 3 elements, the data have 2",
    ],
    [
      { shape: [-1], data: new Int8Array(2) },
      "input 'x': the sizes of a shape are whole numbers, got [-1]",
    ],
    [{ datatype: 'INT8', data: [128] }, `input 'x': "128" is no element of INT8`],
    [{ datatype: 'UINT64', data: [-1] }, `input 'x': "-1" is no element of UINT64`],
    [{ datatype: 'INT32', data: [1.5] }, `input 'x': "1.5" is no element of INT32`],
    [{ datatype: 'FP32', data: ['1'] }, `input 'x': "1" is no element of FP32`],
    [
      { datatype: 'INT32', data: [7, undefined as unknown as number] },
      `input 'x': "undefined" is no element of INT32`,
    ],
    [{ datatype: 'BYTES', data: [1] }, "input 'x': elements of BYTES are strings or Uint8Arrays"],
    [
      { datatype: 'BYTES', data: new Uint8Array(1) },
      "input 'x': elements of BYTES come as a list: [Uint8Array]",
    ],
    [
      { datatype: 'FP32', data: new Float64Array(1) },
      "input 'x': FP32 is a Float32Array, got a Float64Array",
    ],
    [{ datatype: 'FP32', data: Buffer.alloc(3) }, "input 'x': 3 bytes are no whole number of FP32"],
    [[['a'], ['b', 'c']], "input 'x': the lists of a dimension differ in length"],
    [5, "input 'x' is a typed array, a list, a string or { data, shape, datatype }"],
    [{}, "input 'x' is a typed array, a list, a string or { data, shape, datatype }"],
    [null, "input 'x' is a typed array, a list, a string or { data, shape, datatype }"],
  ])('%o is refused', (input, message) => {
    expect(refusal(input)).toBe(message);
  });

  it('of an unknown datatype is refused, with those there are', () => {
    expect(refusal({ datatype: 'FLOAT', data: [1] })).toMatch(
      /there is no datatype 'FLOAT', but BOOL, .*, BYTES$/,
    );
  });
});

describe('half floats', () => {
  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [-Infinity, 0xfc00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1.5 * 2 ** -24, 0x0002],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -12, 0x4000],
    [2 ** -14 - 2 ** -26, 0x0400],
  ])('%d is %i as FP16', (value, bits) => {
    const { raw } = encodeInput('x', { datatype: 'FP16', data: [value] });

    expect(Buffer.from(raw).readUInt16LE()).toBe(bits);
  });

  it('come back from FP16 as they went', () => {
    const bits = Uint16Array.from({ length: 0x7c01 }, (_, i) => i);

    const { raw } = encodeInput('x', { datatype: 'FP16', data: fromFloat16(bits) });

    expect(Buffer.compare(Buffer.from(raw), Buffer.from(bits.buffer))).toBe(0);
  });

  it.each([
    [1 + 2 ** -8, 0x3f80],
    [1 + 3 * 2 ** -8, 0x3f82],
    [3.4e38, 0x7f80],
    [-1, 0xbf80],
  ])('%d is %i as BF16', (value, bits) => {
    const { raw } = encodeInput('x', { datatype: 'BF16', data: [value] });

    expect(Buffer.from(raw).readUInt16LE()).toBe(bits);
  });

  it('know NaN in both forms', () => {
    for (const datatype of ['FP16', 'BF16'] as const) {
      const { raw } = encodeInput('x', { datatype, data: [NaN] });
      const bits = Uint16Array.of(Buffer.from(raw).readUInt16LE());
      const [value] = datatype === 'FP16' ? fromFloat16(bits) : fromBfloat16(bits);
      expect(value).toBeNaN();
    }
  });
});
