import { describe, expect, it } from 'vitest';
import { parseModelConfig } from './parse-model-config.js';
import { raggedProblems } from './validate-ragged.js';

const TENSORS = `
  max_batch_size: 4
  input [ { name: "x" data_type: TYPE_FP32 dims: [ -1 ] allow_ragged_batch: true } ]
  output [ { name: "y" data_type: TYPE_FP32 dims: [ -1 ] }, { name: "deep" data_type: TYPE_FP32 dims: [ 2, -1 ] } ]`;

function problemsOf(text: string): string[] {
  return raggedProblems(parseModelConfig(TENSORS + text).message).map(
    ({ path, message }) => `${path}: ${message}`,
  );
}

describe('raggedProblems', () => {
  it.each([
    'batch_input { kind: BATCH_ITEM_SHAPE target_name: ["a", "b"] data_type: TYPE_INT32 source_input: "x" }',
    'batch_input { target_name: "a" data_type: TYPE_FP32 source_input: "x" }',
    'batch_output { target_name: "y" source_input: "x" }',
  ])('has nothing against %s', (text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  it.each([
    [
      'batch_input { kind: BATCH_ITEM_SHAPE target_name: "a" data_type: TYPE_FP32 }',
      "batch_input[0]: batch input kind 'BATCH_ITEM_SHAPE' expects 1 source input, got 0",
    ],
    [
      'batch_input { target_name: "a" data_type: TYPE_FP32 source_input: ["x", "x"] }',
      "batch_input[0]: batch input kind 'BATCH_ELEMENT_COUNT' expects 1 source input, got 2",
    ],
    [
      'batch_input { target_name: "a" data_type: TYPE_INT64 source_input: "x" }',
      'batch_input[0]: batch input data type must be TYPE_INT32 or TYPE_FP32',
    ],
    [
      'batch_input { target_name: "a" data_type: TYPE_FP32 source_input: "y" }',
      "batch_input[0]: unknown source input name 'y'",
    ],
    [
      'batch_input { target_name: ["a", "a"] data_type: TYPE_FP32 source_input: "x" }',
      "batch_input[0]: target input name 'a' can only be specified once",
    ],
    [
      'batch_input { target_name: "x" data_type: TYPE_FP32 source_input: "x" }',
      "batch_input[0]: target input name 'x' can only be specified once",
    ],
    [
      'batch_output { target_name: "y" }',
      "batch_output[0]: batch output kind 'BATCH_SCATTER_WITH_INPUT_SHAPE' expects 1 source input, got 0",
    ],
    [
      'batch_output { target_name: "z" source_input: "x" }',
      "batch_output[0]: unknown target output name 'z'",
    ],
    [
      'batch_output { target_name: "y" source_input: "z" }',
      "batch_output[0]: unknown source input name 'z'",
    ],
    [
      'batch_output { target_name: "y" source_input: "x" } batch_output { target_name: "y" source_input: "x" }',
      "batch_output[1]: target output name 'y' can only be specified once",
    ],
    [
      'batch_output { target_name: "deep" source_input: "x" }',
      "batch_output[0]: target output 'deep' has variable-size dimension 1, which source input 'x' does not have",
    ],
  ])('finds what is wrong with %s', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });
});
