import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementBytes, type DataType } from '../core/data-type.js';
import { elementCount } from '../core/tensor.js';
import { rawTensor } from '../testing/build.js';
import { decodeOutputs, encodeOutputs } from './outputs-codec.js';

const OUTPUTS = fc.array(
  fc
    .record({
      name: fc.string(),
      dataType: fc.constantFrom<DataType>('FP32', 'BYTES', 'BOOL', 'UINT64'),
      shape: fc.array(fc.nat(3), { maxLength: 3 }),
      text: fc.uint8Array({ maxLength: 64 }),
      byte: fc.nat(255),
    })
    .map(({ name, dataType, shape, text, byte }) => {
      const bytes = elementBytes(dataType) * elementCount(shape);
      const data = dataType === 'BYTES' ? text : new Uint8Array(bytes).fill(byte);
      return rawTensor(name, dataType, { shape, data });
    }),
  { maxLength: 4 },
);

describe('outputs as the value of a key', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(OUTPUTS, (outputs) => {
        const back = decodeOutputs(encodeOutputs(outputs));

        expect(back?.map((tensor) => ({ ...tensor, data: [...tensor.data] }))).toEqual(
          outputs.map((tensor) => ({ ...tensor, data: [...tensor.data] })),
        );
      }),
    );
  });

  it('are nothing when a piece is missing or too much', () => {
    fc.assert(
      fc.property(OUTPUTS, fc.nat(), (outputs, at) => {
        const value = encodeOutputs(outputs);

        expect(decodeOutputs(value.subarray(0, at % value.length))).toBeUndefined();
        expect(decodeOutputs(Buffer.concat([value, Buffer.alloc(1)]))).toBeUndefined();
      }),
    );
  });

  it('are nothing when the data are not as large as the shape says', () => {
    const data = new Uint8Array(8);

    for (const shape of [[1], [3], [2, 2], [0], [2 ** 31, 2 ** 31]])
      expect(decodeOutputs(encodeOutputs([rawTensor('y', 'FP32', { shape, data })]))).toBe(
        undefined,
      );
  });

  it('never throw, whatever somebody has written there', () => {
    const header = (json: unknown): Buffer => {
      const text = Buffer.from(JSON.stringify(json));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.length);
      return Buffer.concat([length, text]);
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (value) => {
        decodeOutputs(Buffer.from(value));
      }),
    );
    fc.assert(
      fc.property(fc.json(), (json) => {
        decodeOutputs(header(JSON.parse(json)));
      }),
    );
    for (const row of [null, ['y'], ['y', 'FP33', [1], 0], ['y', 'FP32', [-1], 0]])
      expect(decodeOutputs(header([row]))).toBeUndefined();
    expect(decodeOutputs(header([['y', 'FP32', [1], 4]]))).toBeUndefined();
  });
});
