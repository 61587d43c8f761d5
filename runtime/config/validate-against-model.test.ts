import { describe, expect, it } from 'vitest';
import type { ModelTensors } from './complete-from-model.js';
import { parseModelConfig } from './parse-model-config.js';
import { validateAgainstModel } from './validate-against-model.js';

function problemsOf(text: string, model: ModelTensors): string[] {
  return validateAgainstModel({ name: 'm', ...parseModelConfig(text).message }, model).map(
    ({ message }) => message,
  );
}

function aModel(input: readonly number[], output: readonly number[]): ModelTensors {
  return {
    inputs: [{ name: 'x', dataType: 'FP32', shape: input }],
    outputs: [{ name: 'y', dataType: 'FP32', shape: output }],
  };
}

const GOOD =
  'max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: 3 } output { name: "y" data_type: TYPE_FP32 dims: 3 }';

describe('validateAgainstModel', () => {
  it('has nothing against a configuration that agrees with the model', () => {
    expect(problemsOf(GOOD, aModel([-1, 3], [-1, 3]))).toEqual([]);
  });

  it('lets an input narrow what the model leaves open, but not an output', () => {
    expect(problemsOf(GOOD, aModel([-1, -1], [-1, 3]))).toEqual([]);
    expect(problemsOf(GOOD, aModel([-1, 3], [-1, -1]))).toHaveLength(1);
  });

  it('takes dims of ones for a scalar', () => {
    const text =
      'input { name: "x" data_type: TYPE_FP32 dims: 1 } output { name: "y" data_type: TYPE_FP32 dims: [ 1, 1 ] }';

    expect(problemsOf(text, aModel([], []))).toEqual([]);
    expect(problemsOf(text.replace('dims: 1', 'dims: 2'), aModel([], []))).toEqual([
      "unable to load model 'm', scalar tensor 'x', should only provide 1 in the model configuration when the model doesn't support batching. Model configuration provided: [2].",
    ]);
  });

  it('lets a model have outputs that the configuration leaves out', () => {
    const model = aModel([-1, 3], [-1, 3]);
    const more = {
      ...model,
      outputs: [...model.outputs, { name: 'z', dataType: 'FP32' as const, shape: [] }],
    };

    expect(problemsOf(GOOD, more)).toEqual([]);
  });

  it.each([
    [
      '"x"',
      '"q"',
      aModel([-1, 3], [-1, 3]),
      "unexpected inference input 'q', allowed inputs are: x",
    ],
    [
      '"y"',
      '"q"',
      aModel([-1, 3], [-1, 3]),
      "unexpected inference output 'q', allowed outputs are: y",
    ],
    [
      'TYPE_FP32',
      'TYPE_INT32',
      aModel([-1, 3], [-1, 3]),
      "unable to load model 'm', configuration expects datatype TYPE_INT32 for input 'x', model provides TYPE_FP32",
    ],
    [
      'dims: 3',
      'dims: 4',
      aModel([-1, 3], [-1, 3]),
      "model 'm', tensor 'x': the model expects 2 dimensions (shape [-1,3]) but the model configuration specifies 2 dimensions (an initial batch dimension because max_batch_size > 0 followed by the explicit tensor shape, making complete shape [-1,4])",
    ],
    [
      'max_batch_size: 8',
      'max_batch_size: 0',
      aModel([-1, 3], [3]),
      "model 'm', tensor 'x': the model expects 2 dimensions (shape [-1,3]) but the model configuration specifies 1 dimensions (shape [3])",
    ],
    [
      'dims: 3',
      'dims: 3',
      aModel([2, 3], [-1, 3]),
      "model 'm', tensor 'x': for the model to support batching the shape should have at least 1 dimension and the first dimension must be -1; but shape expected by the model is [2,3]",
    ],
  ])('finds the mismatch after %s has become %s', (from, to, model, problem) => {
    expect(problemsOf(GOOD.replace(from, to), model)).toEqual([problem]);
  });

  it('finds inputs that are missing or too many', () => {
    const two = {
      inputs: ['x', 'z'].map((name) => ({ name, dataType: 'FP32' as const, shape: [-1, 3] })),
      outputs: aModel([], [-1, 3]).outputs,
    };

    expect(problemsOf(GOOD, two)).toEqual([
      "unable to load model 'm', configuration expects 1 inputs, model provides 2",
    ]);
  });
});
