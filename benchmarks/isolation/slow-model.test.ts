import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { slowModel } from './slow-model.js';

describe('slowModel', () => {
  it('answers with one value, however many steps it takes', async () => {
    const session = await InferenceSession.create(slowModel(3));

    const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(0.3), [1]) });

    // Every element is 0.3 / size; the mean of a row of the matrix is 1 / size.
    expect(y!.dims).toEqual([1]);
    expect((y!.data as Float32Array)[0]).toBeCloseTo(0.3 / 384, 6);
    await session.release();
  });
});
