import { describe, expect, it } from 'vitest';
import { aTensor, lengthPrefixed, rawTensor, valuesOf } from '../testing/build.js';
import { CascadeTensor } from './cascade-tensor.js';
import { TensorRows } from './tensor-rows.js';

const rows = (...numbers: number[]): Int32Array => Int32Array.from(numbers);
const piece = (values: number[]): TensorRows =>
  new TensorRows(aTensor('score', [values.length, 1], values));

describe('CascadeTensor', () => {
  it('holds for each row what was written last', () => {
    const tensor = new CascadeTensor('score', 4);
    tensor.write(piece([1, 2, 3, 4]), rows(0, 1, 2, 3));
    tensor.write(piece([20, 40]), rows(1, 3));

    const all = tensor.take(rows(0, 1, 2, 3));

    expect(all).toMatchObject({ name: 'score', dataType: 'FP32', shape: [4, 1] });
    expect(valuesOf(all)).toEqual([1, 20, 3, 40]);
    expect(valuesOf(tensor.take(rows(3, 2)))).toEqual([40, 3]);
  });

  it('does not copy rows that lie together', () => {
    const tensor = new CascadeTensor('score', 4);
    const written = piece([1, 2, 3, 4]);
    tensor.write(written, rows(0, 1, 2, 3));

    const { data, name, shape } = tensor.take(rows(1, 2), 'INPUT0');

    expect({ name, shape }).toEqual({ name: 'INPUT0', shape: [2, 1] });
    expect(data.buffer).toBe(written.tensor.data.buffer);
    expect([...new Float32Array(data.slice().buffer)]).toEqual([2, 3]);
  });

  it('keeps strings of different lengths apart', () => {
    const texts = (...values: string[]): TensorRows =>
      new TensorRows(
        rawTensor('text', 'BYTES', { shape: [values.length, 1], data: lengthPrefixed(values) }),
      );
    const tensor = new CascadeTensor('text', 3);
    tensor.write(texts('one', '', 'three'), rows(0, 1, 2));
    tensor.write(texts('a longer one'), rows(0));

    const { data } = tensor.take(rows(0, 1, 2));

    expect(Buffer.from(data).equals(lengthPrefixed(['a longer one', '', 'three']))).toBe(true);
  });

  it('knows which rows have been written', () => {
    const tensor = new CascadeTensor('score', 3);
    tensor.write(piece([1, 2]), rows(0, 2));

    expect([tensor.has(rows(0, 2)), tensor.has(rows(0, 1))]).toEqual([true, false]);
  });

  it('refuses to put rows of different shapes or types into one tensor', () => {
    const tensor = new CascadeTensor('score', 2);
    tensor.write(piece([1]), rows(0));
    tensor.write(new TensorRows(aTensor('score', [1, 2], [1, 2])), rows(1));

    expect(() => tensor.take(rows(0, 1))).toThrow(
      "rows of tensor 'score' do not go together: some are FP32 [1], others FP32 [2]",
    );
  });
});
