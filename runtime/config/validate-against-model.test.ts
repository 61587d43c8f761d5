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

describe('validateAgainstModel of ragged batches', () => {
  const RAGGED = `
    max_batch_size: 8
    input { name: "x" data_type: TYPE_FP32 dims: [ -1, 2 ] allow_ragged_batch: true }
    output [ { name: "y" data_type: TYPE_FP32 dims: [ -1, 2 ] } ]
    batch_input { kind: BATCH_ITEM_SHAPE target_name: ["s", "t"] data_type: TYPE_INT32 source_input: "x" }
    batch_output { target_name: "y" source_input: "x" }`;

  const model = (x: readonly number[], s: readonly number[] = [-1, -1]): ModelTensors => ({
    inputs: [
      { name: 'x', dataType: 'FP32', shape: x },
      { name: 's', dataType: 'INT32', shape: s },
      { name: 't', dataType: 'INT32', shape: s },
    ],
    outputs: [{ name: 'y', dataType: 'FP32', shape: [-1] }],
  });

  it('takes a ragged input for a vector, and a scattered output as it comes', () => {
    expect(problemsOf(RAGGED, model([-1]))).toEqual([]);
  });

  it.each([[[-1, 2]], [[4]]])('refuses a ragged input that the model has as %j', (shape) => {
    expect(problemsOf(RAGGED, model(shape))).toEqual([
      `unable to load model 'm', configuration expects model provides input with shape [-1]  for ragged input 'x', model provides [${shape.join(',')}]`,
    ]);
  });

  it('refuses batch inputs that the model does not have, or of another type or rank', () => {
    const [type, name] = [
      RAGGED.replace('TYPE_INT32', 'TYPE_FP32'),
      RAGGED.replace('"t"', '"other"'),
    ];

    expect(problemsOf(type, model([-1]))).toEqual(
      ['s', 't'].map(
        (input) =>
          `unable to load model 'm', configuration expects datatype TYPE_FP32 for input '${input}', model provides TYPE_INT32`,
      ),
    );
    expect(problemsOf(name, model([-1]))).toEqual([
      "unexpected inference input 'other', allowed inputs are: s, t, x",
    ]);
    expect(problemsOf(RAGGED, model([-1], [-1]))[0]).toBe(
      "model 'm', tensor 's': the model expects 1 dimensions (shape [-1]) but batch input kind 'BATCH_ITEM_SHAPE' has 2",
    );
  });

  it('counts every target as an input', () => {
    const { inputs, outputs } = model([-1]);

    expect(problemsOf(RAGGED.replace(', "t"', ''), { inputs, outputs })).toEqual([
      "unable to load model 'm', configuration expects 2 inputs, model provides 3",
    ]);
  });

  it('refuses batch inputs and outputs of a model that is not batched', () => {
    const problems = problemsOf(RAGGED.replace('max_batch_size: 8', ''), model([-1]));

    expect(problems).toEqual([
      'batch_input expects max_batch_size > 0 for m',
      'batch_output expects max_batch_size > 0 for m',
    ]);
  });
});
