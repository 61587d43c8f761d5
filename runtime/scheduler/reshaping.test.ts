import { describe, expect, it } from 'vitest';
import { aModelConfig, aRequest, aTensor } from '../testing/build.js';
import { Reshaping } from './reshaping.js';

const SHAPED = `
  max_batch_size: 4
  input [
    { name: "a" data_type: TYPE_FP32 dims: [ 4, -1 ] reshape { shape: [ 2, -1, 2 ] } },
    { name: "b" data_type: TYPE_FP32 dims: [ 1 ] reshape { shape: [ ] } optional: true },
    { name: "c" data_type: TYPE_FP32 dims: [ 1 ] } ]
  output [
    { name: "y" data_type: TYPE_FP32 dims: [ -1, 2 ] reshape { shape: [ 2, -1 ] } },
    { name: "z" data_type: TYPE_FP32 dims: [ 1 ] } ]`;

describe('Reshaping', () => {
  const reshaping = Reshaping.of(aModelConfig(SHAPED))!;

  it('shows the model the shapes that its configuration says, each request by itself', () => {
    const zeros = (count: number): number[] => Array<number>(count).fill(0);
    const a = aTensor('a', [2, 4, 3], zeros(24));
    const b = aTensor('b', [2, 1], zeros(2));
    const c = aTensor('c', [2, 1], zeros(2));

    const seen = [
      [a, b, c],
      [a, c],
    ].map((inputs) => reshaping.request(aRequest({ inputs })));

    expect(seen.map(({ inputs }) => inputs.map(({ shape }) => shape))).toEqual([
      [[2, 2, 3, 2], [2], [2, 1]],
      [
        [2, 2, 3, 2],
        [2, 1],
      ],
    ]);
    expect(seen[0]!.inputs[0]!.data).toBe(a.data);
  });

  it('shows users the shapes of outputs that they know', () => {
    const made = [aTensor('y', [1, 2, 3], [1, 2, 3, 4, 5, 6]), aTensor('z', [1, 1], [0])];

    expect(reshaping.outputs(made).map(({ shape }) => shape)).toEqual([
      [1, 3, 2],
      [1, 1],
    ]);
  });

  it('reshapes whole tensors where there are no batches', () => {
    const config = aModelConfig(`
      input [ { name: "a" data_type: TYPE_FP32 dims: [ 4 ] reshape { shape: [ 2, 2 ] } } ]
      output [ { name: "y" data_type: TYPE_FP32 dims: [ 4 ] reshape { shape: [ 2, 2 ] } } ]`);
    const given = aRequest({ inputs: [aTensor('a', [4], [1, 2, 3, 4])] });

    const { inputs } = Reshaping.of(config)!.request(given);
    const [y] = Reshaping.of(config)!.outputs([aTensor('y', [2, 2], [1, 2, 3, 4])]);

    expect([inputs[0]!.shape, y!.shape]).toEqual([[2, 2], [4]]);
  });

  it('is not there where nothing is reshaped', () => {
    const config = aModelConfig('input [ { name: "a" data_type: TYPE_FP32 dims: [ 4 ] } ]');

    expect(Reshaping.of(config)).toBeUndefined();
  });
});
