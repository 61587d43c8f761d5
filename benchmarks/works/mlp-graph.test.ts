import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { onnxModel } from '../../runtime/testing/onnx-model.js';
import { isNear } from './infer-answer.js';
import { mlpAnswer, mlpGraph } from './mlp-graph.js';

describe('mlpAnswer', () => {
  it.each([1, 7, 1000])('is what ONNX Runtime computes, of seed %i', async (seed) => {
    const graph = mlpGraph([32, 64, 32], seed);
    const session = await InferenceSession.create(onnxModel(graph));

    const { y } = await session.run({
      x: new Tensor('float32', new Float32Array(32).fill(0.3), [1, 32]),
    });

    expect(isNear(y!.data as Float32Array, mlpAnswer(graph, 0.3))).toBe(true);
    await session.release();
  });

  it('is another for every seed', () => {
    const [one, two] = [1, 2].map((seed) => mlpAnswer(mlpGraph([32, 64, 32], seed), 0.3));

    expect(isNear(one!, two!)).toBe(false);
  });
});
