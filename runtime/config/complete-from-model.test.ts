import { describe, expect, it } from 'vitest';
import type { TensorMetadata } from '../core/model-catalog.js';
import {
  completeFromModel,
  type CompletionOptions,
  type ModelTensors,
} from './complete-from-model.js';
import type { ModelConfigMessage } from './model-config-message.js';
import { parseModelConfig } from './parse-model-config.js';

function tensor(name: string, shape: readonly number[]): TensorMetadata {
  return { name, dataType: 'FP32', shape };
}

function aModel(input: readonly number[], output: readonly number[] = input): ModelTensors {
  return { inputs: [tensor('x', input)], outputs: [tensor('y', output)] };
}

function complete(
  message: ModelConfigMessage,
  model: ModelTensors,
  options: Partial<CompletionOptions> = {},
): ModelConfigMessage {
  return completeFromModel({ name: 'm', ...message }, model, {
    defaultMaxBatchSize: 4,
    ...options,
  });
}

describe('completeFromModel', () => {
  it("leaves out the tensors that are the server's: controls and states of sequences", () => {
    const { message } = parseModelConfig(`sequence_batching {
      control_input { name: "START" control { bool_false_true: [ false, true ] } }
      state { input_name: "IN" output_name: "OUT" data_type: TYPE_FP32 dims: [ 3 ] } }`);
    const names = (inputs: string[]): TensorMetadata[] =>
      inputs.map((name) => tensor(name, [-1, 3]));
    const model = { inputs: names(['START', 'x', 'IN']), outputs: names(['y', 'OUT']) };

    const { input, output, dynamic_batching: dynamic } = complete(message, model);

    expect([input, output].map((tensors) => tensors?.map(({ name }) => name))).toEqual([
      ...[['x'], ['y']],
    ]);
    expect(dynamic).toBeUndefined();
  });

  it('turns on batching for a model whose first sizes are all open', () => {
    expect(complete({}, aModel([-1, 3]))).toEqual({
      name: 'm',
      max_batch_size: 4,
      dynamic_batching: {},
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [3] }],
      output: [{ name: 'y', data_type: 'TYPE_FP32', dims: [3] }],
    });
  });

  it.each([
    ['a fixed first size', [2, 3], [2, 3]],
    ['an output without it', [-1, 3], [3]],
    ['a scalar output', [-1, 3], []],
  ])('leaves a model with %s as it is', (_what, input, output) => {
    const completed = complete({}, aModel(input, output));

    expect(completed.max_batch_size).toBeUndefined();
    expect(completed.dynamic_batching).toBeUndefined();
    expect(completed.input?.[0]?.dims).toEqual(input);
  });

  it('honours a zero that is written', () => {
    const completed = complete({ max_batch_size: 0 }, aModel([-1, 3]));

    expect(completed).toMatchObject({ max_batch_size: 0, input: [{ dims: [-1, 3] }] });
    expect(completed.dynamic_batching).toBeUndefined();
  });

  it('does not batch a model of batch size 1, nor one with another scheduler', () => {
    expect(complete({ max_batch_size: 1 }, aModel([-1])).dynamic_batching).toBeUndefined();
    expect(complete({ sequence_batching: {} }, aModel([-1])).dynamic_batching).toBeUndefined();
  });

  it('writes a scalar as one element, which a batching model sees without the dimension', () => {
    expect(complete({}, aModel([])).input).toEqual([
      { name: 'x', data_type: 'TYPE_FP32', dims: [1] },
    ]);
    expect(complete({}, aModel([-1])).input).toEqual([
      { name: 'x', data_type: 'TYPE_FP32', dims: [1], reshape: { shape: [] } },
    ]);
  });

  it('completes the side that is missing and leaves the other', () => {
    const input = [{ name: 'x', data_type: 'TYPE_FP32', dims: [3] }];

    const completed = complete({ input, max_batch_size: 8 }, aModel([-1, -1]));

    expect(completed.input).toBe(input);
    expect(completed.output).toEqual([{ name: 'y', data_type: 'TYPE_FP32', dims: [-1] }]);
  });

  it('leaves a configuration that names both sides alone', () => {
    const message: ModelConfigMessage = {
      name: 'm',
      input: [{ name: 'x' }],
      output: [{ name: 'y' }],
    };

    expect(completeFromModel(message, aModel([-1, 3]), { defaultMaxBatchSize: 4 })).toBe(message);
  });

  it('takes no input of the model for missing where the server makes some', () => {
    const input = [{ name: 'x', data_type: 'TYPE_FP32', dims: [-1], allow_ragged_batch: true }];
    const batch_input = [{ target_name: ['n'], data_type: 'TYPE_FP32', source_input: ['x'] }];
    const model: ModelTensors = {
      inputs: [tensor('x', [-1]), tensor('n', [-1])],
      outputs: [tensor('y', [-1])],
    };

    const completed = complete({ input, batch_input }, model);

    expect(completed).toMatchObject({ input, max_batch_size: 4, output: [{ name: 'y' }] });
    expect(complete({ batch_input, output: [{ name: 'y' }] }, model).input).toBeUndefined();
  });

  it('refuses a batch size for a model without a batch dimension', () => {
    expect(() => complete({ max_batch_size: 8 }, aModel([2, 3]))).toThrow(
      "autofill failed for model 'm': model does not support batching while non-zero max_batch_size is specified",
    );
  });

  it('gives labels.txt to the one output that has as many elements as it has lines', () => {
    const model: ModelTensors = {
      inputs: [tensor('x', [-1, 64])],
      outputs: [tensor('probabilities', [-1, 10]), tensor('embedding', [-1, 32])],
    };

    const completed = complete({}, model, { labelCount: 10 });

    expect(completed.output?.map(({ label_filename: file }) => file)).toEqual([
      'labels.txt',
      undefined,
    ]);
  });

  it('gives labels.txt to nobody when it fits nobody, or more than one', () => {
    const files = (labelCount: number, output: number[]): unknown[] =>
      complete({}, aModel([-1, 3], output), { labelCount }).output!.map((o) => o.label_filename);

    expect(files(10, [-1, 3])).toEqual([undefined]);
  });

  it('takes no model for batchable that has no inputs', () => {
    const model: ModelTensors = { inputs: [], outputs: [tensor('y', [-1, 2])] };

    expect(complete({}, model).max_batch_size).toBeUndefined();
  });
});
