import { describe, expect, it } from 'vitest';
import { parseModelConfig } from './parse-model-config.js';
import { validateTensors } from './validate-tensors.js';

function problemsOf(text: string): string[] {
  return validateTensors({ name: 'm', ...parseModelConfig(text).message }).map(
    ({ path, message }) => `${path}: ${message}`,
  );
}

const SIZES = 'must be integer >= 1, or -1 to indicate a variable-size dimension';

describe('validateTensors', () => {
  it.each([
    ['dims: [ -1, 4 ]'],
    ['dims: [ 4 ] reshape { shape: [ 2, 2 ] }'],
    ['dims: [ 1 ] reshape { shape: [ ] }'],
    ['dims: [ 2, 4, -1, 6 ] reshape { shape: [ 8, -1, 1, 6 ] }'],
  ])('has nothing against %s', (tensor) => {
    expect(
      problemsOf(`max_batch_size: 1 input { name: "a" data_type: TYPE_FP32 ${tensor} }`),
    ).toEqual([]);
  });

  it.each([
    ['input { }', "input[0].name: model input must specify 'name' for m"],
    [
      'output { name: "y" dims: 1 }',
      "output[0].data_type: model output 'y' must specify 'data_type' for m",
    ],
    [
      'input { name: "a" data_type: TYPE_FP32 }',
      "input[0].dims: model input 'a' must specify 'dims' for m",
    ],
    [
      'input { name: "a" data_type: TYPE_FP32 dims: 0 }',
      `input[0].dims: model input 'a' dimension ${SIZES} for m`,
    ],
    [
      'input { name: "a" data_type: TYPE_FP32 dims: -2 }',
      `input[0].dims: model input 'a' dimension ${SIZES} for m`,
    ],
    [
      'input { name: "a" data_type: TYPE_FP32 dims: 4 reshape { shape: [ 3 ] } }',
      "input[0].reshape: model input 'a' has different size for dims and reshape for m",
    ],
    [
      'input { name: "a" data_type: TYPE_FP32 dims: [ -1, -1 ] reshape { shape: [ -1 ] } }',
      "input[0].reshape: model input 'a' has different number of variable-size dimensions for dims and reshape for m",
    ],
    [
      'input { name: "a" data_type: TYPE_FP32 dims: [ -1, 4 ] reshape { shape: [ 4 ] } }',
      "input[0].reshape: model input 'a' has different size for dims and reshape for m",
    ],
    [
      'input { name: "a" data_type: TYPE_FP32 dims: 1 reshape { shape: [ ] } }',
      "input[0].reshape: model input 'a' cannot have empty reshape for non-batching model as scalar tensors are not supported for m",
    ],
    [
      'input { name: "a" data_type: TYPE_FP32 dims: 1 is_shape_tensor: true }',
      'input[0].is_shape_tensor: shape tensors are only supported for TensorRT platform for m',
    ],
    [
      'input { name: "a" data_type: TYPE_FP32 dims: [ 3, 4 ] format: FORMAT_NHWC }',
      'input[0].format: model input NHWC/NCHW require 3 dims for m',
    ],
    [
      'batch_input { source_input: "q" data_type: TYPE_FP32 }',
      "batch_input[0]: unknown source input name 'q' for m",
    ],
    [
      'input { name: "a" data_type: TYPE_FP32 dims: 1 } batch_input { source_input: "a" }',
      'batch_input[0]: batch input data type must be TYPE_INT32 or TYPE_FP32 for m',
    ],
  ])('finds what is wrong with %s', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it('finds the problems of all tensors', () => {
    expect(problemsOf('input { name: "a" dims: 0 } output { name: "y" }')).toHaveLength(4);
  });
});
