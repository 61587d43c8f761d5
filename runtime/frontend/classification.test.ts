import { describe, expect, it } from 'vitest';
import { aTensor, rawTensor } from '../testing/build.js';
import type { Tensor } from '../core/tensor.js';
import { classify, formatFixed6 } from './classification.js';

function textsOf({ data }: Tensor): string[] {
  const bytes = Buffer.from(data);
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32LE(at))
    texts.push(bytes.toString('utf8', at + 4, at + 4 + bytes.readUInt32LE(at)));
  return texts;
}

const options = { batched: true, classCount: 2, labels: ['zero', 'one'] };

describe('classify', () => {
  it('returns the best classes of each row, with their labels where there are any', () => {
    const tensor = aTensor('p', [2, 3], [0.1, 0.7, 0.2, 3, 1, 2]);

    const classes = classify(tensor, options);

    expect(classes).toMatchObject({ name: 'p', dataType: 'BYTES', shape: [2, 2] });
    expect(textsOf(classes)).toEqual([
      '0.700000:1:one',
      '0.200000:2',
      '3.000000:0:zero',
      '2.000000:2',
    ]);
  });

  it('returns all there are when more are asked for', () => {
    const classes = classify(aTensor('p', [1, 2], [1, 2]), { ...options, classCount: 9 });

    expect(classes.shape).toEqual([1, 2]);
  });

  it('takes the whole tensor for one row where there are no batches', () => {
    const classes = classify(aTensor('p', [2, 2], [1, 4, 3, 2]), {
      ...options,
      batched: false,
      classCount: 1,
    });

    expect([classes.shape, textsOf(classes)]).toEqual([[1], ['4.000000:1:one']]);
  });

  it('keeps equal values in their order, and NaN last', () => {
    const tensor = aTensor('p', [1, 4], [NaN, 1, 2, 1]);

    expect(textsOf(classify(tensor, { batched: true, classCount: 4, labels: [] }))).toEqual([
      '2.000000:2',
      '1.000000:1',
      '1.000000:3',
      'nan:0',
    ]);
  });

  it.each([
    ['INT8', Uint8Array.from(Int8Array.of(-1, 5)), '5:1'],
    ['UINT16', new Uint8Array(Uint16Array.of(65535, 5).buffer), '65535:0'],
    ['INT64', new Uint8Array(BigInt64Array.of(2n ** 62n, 5n).buffer), '4611686018427387904:0'],
    ['FP64', new Uint8Array(Float64Array.of(0.25, -1).buffer), '0.250000:0'],
  ] as const)('reads %s', (dataType, data, expected) => {
    const tensor = rawTensor('p', dataType, { shape: [1, 2], data });

    expect(textsOf(classify(tensor, { batched: true, classCount: 1, labels: [] }))).toEqual([
      expected,
    ]);
  });

  it.each(['BOOL', 'BYTES', 'FP16', 'BF16'] as const)('refuses %s', (dataType) => {
    const tensor = rawTensor('p', dataType, { shape: [1, 0], data: new Uint8Array() });

    expect(() => classify(tensor, options)).toThrow(
      `class result not available for output due to unsupported type '${dataType}'`,
    );
  });
});

describe('formatFixed6', () => {
  // What printf("%f") of glibc writes.
  it.each([
    [0, '0.000000'],
    [-0, '-0.000000'],
    [0.7, '0.700000'],
    [1 / 128, '0.007812'],
    [3 / 128, '0.023438'],
    [-1 / 128, '-0.007812'],
    [1e-7, '0.000000'],
    [5e-7, '0.000000'],
    [123456.789, '123456.789000'],
    [3e38, '300000000000000012135895401846682943488.000000'],
    [Infinity, 'inf'],
    [NaN, 'nan'],
  ])('writes %d as %s', (value, text) => {
    expect(formatFixed6(value)).toBe(text);
  });
});
