import { describe, expect, it } from 'vitest';
import { tensor, type DataType } from './model-api.js';
import { arrayTensor, rawTensor } from './script-tensors.js';

const VALUES: readonly (readonly [DataType, readonly (number | bigint | string | boolean)[]])[] = [
  ['BOOL', [true, false]],
  ['UINT8', [0, 255]],
  ['UINT16', [0, 65_535]],
  ['UINT32', [0, 4_294_967_295]],
  ['UINT64', [0n, 18_446_744_073_709_551_615n]],
  ['INT8', [-128, 127]],
  ['INT16', [-32_768, 32_767]],
  ['INT32', [-2_147_483_648, 2_147_483_647]],
  ['INT64', [-9_223_372_036_854_775_808n, 7n]],
  ['FP16', [0.5, -2]],
  ['BF16', [0.5, -2]],
  ['FP32', [0.5, -2]],
  ['FP64', [0.1, -2]],
  ['BYTES', ['', 'grün']],
];

describe('tensors', () => {
  it.each(VALUES)('of %s are the same after a way over bytes', (dataType, values) => {
    const made = tensor(dataType, [2], values as never);

    const raw = rawTensor('x', made);

    expect(arrayTensor({ ...raw, data: raw.data.slice() })).toEqual(made);
  });

  it('of numbers are views, not copies', () => {
    const data = Float32Array.of(1, 2, 3).subarray(1);

    const raw = rawTensor('x', { dataType: 'FP32', shape: [2], data });

    expect(raw.data.buffer).toBe(data.buffer);
    expect([raw.data.byteOffset, raw.data.byteLength]).toEqual([4, 8]);
  });

  it('can be sent whatever their shape was made of', () => {
    const shape = new Proxy([1], {});

    const raw = rawTensor('x', { dataType: 'FP32', shape, data: Float32Array.of(1) });

    expect(() => structuredClone({ shape })).toThrow('could not be cloned');
    expect(structuredClone(raw).shape).toEqual([1]);
  });
});
