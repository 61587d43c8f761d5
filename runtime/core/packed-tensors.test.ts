import { describe, expect, it } from 'vitest';
import { aTensor, lengthPrefixed, rawTensor } from '../testing/build.js';
import { packTensors, unpackTensors } from './packed-tensors.js';

describe('packed tensors', () => {
  it('are the same again when they are unpacked', () => {
    const lists = [
      [
        aTensor('a', [2], [1, 2]),
        rawTensor('b', 'BYTES', { shape: [1], data: lengthPrefixed(['x']) }),
      ],
      [],
      [aTensor('a', [1], [3])],
    ];

    expect(unpackTensors(packTensors(lists))).toEqual(
      lists.map((tensors) =>
        tensors.map((tensor) => ({ ...tensor, data: new Uint8Array(tensor.data) })),
      ),
    );
  });

  it('begin at multiples of 8, in a buffer that is nobody else’s', () => {
    const odd = rawTensor('b', 'UINT8', { shape: [3], data: Buffer.from('abc') });

    const { buffer, lists } = packTensors([[odd, odd], [odd]]);

    expect(lists.flat().map(({ byteOffset }) => byteOffset)).toEqual([0, 8, 16]);
    expect(buffer.byteLength).toBe(24);
  });
});
