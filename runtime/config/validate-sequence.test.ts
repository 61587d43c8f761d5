import { describe, expect, it } from 'vitest';
import type { ModelTensors } from './complete-from-model.js';
import { parseModelConfig } from './parse-model-config.js';
import { sequenceConfig } from './sequence-config.js';
import { validateSequenceTensors } from './validate-sequence-tensors.js';
import { sequenceProblems } from './validate-sequence.js';

const START = 'control_input { name: "S" control { int32_false_true: [ 0, 1 ] } }';
const STATE = 'state { input_name: "I" output_name: "O" data_type: TYPE_INT32 dims: [ 2 ] ';

const message = (text: string): ReturnType<typeof parseModelConfig>['message'] =>
  parseModelConfig(`name: "m" max_batch_size: 4 sequence_batching { ${text} }`).message;

describe('sequenceProblems', () => {
  it.each([
    '',
    'oldest { preferred_batch_size: 4 }',
    START,
    `${STATE} initial_state { data_type: TYPE_INT32 } }`,
  ])('has nothing against: %s', (text) => {
    expect(sequenceProblems(message(text))).toEqual([]);
  });

  it.each([
    [
      'direct { minimum_slot_utilization: 1.5 }',
      'sequence batching minimum slot utilization must be in range (0.0, 1.0] for m',
    ],
    [
      'oldest { preferred_batch_size: 0 }',
      'sequence batching preferred batch size must be positive for m',
    ],
    [
      'oldest { preferred_batch_size: 5 }',
      'sequence batching preferred batch size must be <= max batch size for m',
    ],
    [
      `${START} ${START.replace('"S"', '"T"')}`,
      'sequence batching specifies multiple CONTROL_SEQUENCE_START tensors for m',
    ],
    [
      `${START} control_input { name: "S" control { kind: CONTROL_SEQUENCE_END bool_false_true: [ false, true ] } }`,
      "sequence batching control tensor 'S' is specified for multiple control kinds for m",
    ],
    [
      'control_input { name: "S" control { int32_false_true: 1 } }',
      "sequence batching control 'int32_false_true' must have exactly 2 entries for CONTROL_SEQUENCE_START for m",
    ],
    [
      'control_input { name: "S" control { } }',
      "sequence batching must specify either 'int32_false_true', 'fp32_false_true' or 'bool_false_true' for " +
        'CONTROL_SEQUENCE_START for m',
    ],
    [
      'control_input { name: "S" control { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_FP32 } }',
      'unexpected data type for control CONTROL_SEQUENCE_CORRID for m. Allowed data types are TYPE_UINT64, TYPE_INT64, ' +
        'TYPE_UINT32, TYPE_INT32 and TYPE_STRING',
    ],
    [
      `${STATE} initial_state { data_type: TYPE_FP32 } }`,
      "'initial_state' field for state input tensor 'I' must have the data type of the state for m",
    ],
    [
      `${STATE} initial_state { data_type: TYPE_INT32 dims: [ 3 ] } }`,
      "'initial_state' field for state input tensor 'I' must have dims that fit those of the state for m",
    ],
    [
      `${STATE} initial_state { data_type: TYPE_INT32 dims: [ 2, 1 ] } }`,
      "'initial_state' field for state input tensor 'I' must have dims that fit those of the state for m",
    ],
    [
      `${STATE} } state { input_name: "I" output_name: "P" data_type: TYPE_INT32 dims: [ 2 ] }`,
      "state input 'I' can only be specified once for m",
    ],
  ])('finds what is wrong with: %s', (text, problem) => {
    expect(sequenceProblems(message(text)).map((found) => found.message)).toEqual([problem]);
  });
});

describe('sequenceConfig', () => {
  it('knows controls by their values, and states by how they begin', () => {
    const config = sequenceConfig(
      message(`max_sequence_idle_microseconds: 2500 ${START} state { input_name: "I" output_name: "O"
        data_type: TYPE_FP32 dims: [ -1, 3 ] initial_state { data_type: TYPE_FP32 dims: [ 2, 3 ] data_file: "f" } }`),
    );

    expect(config).toMatchObject({
      ...{ strategy: 'direct', slotsPerInstance: 4, idleMs: 2.5 },
      controls: [{ kind: 'START', name: 'S', dataType: 'INT32', falseValue: 0, trueValue: 1 }],
      states: [{ inputName: 'I', dims: [-1, 3], initial: { dims: [2, 3], filename: 'f' } }],
    });
  });
});

describe('validateSequenceTensors', () => {
  const model = (shape: readonly number[]): ModelTensors => ({
    inputs: [
      { name: 'S', dataType: 'INT32', shape },
      { name: 'I', dataType: 'INT32', shape: [-1, -1] },
    ],
    outputs: [{ name: 'O', dataType: 'FP32', shape: [-1, 3] }],
  });
  const problemsOf = (text: string, shape = [-1, 1]): string[] =>
    validateSequenceTensors(message(text), model(shape)).map((problem) => problem.message);

  it('has nothing against tensors that fit', () => {
    expect(problemsOf(START)).toEqual([]);
  });

  it('finds tensors that the model has not, or has otherwise', () => {
    expect(problemsOf(START.replace('"S"', '"T"'))).toEqual([
      "configuration specified sequence control 'T', but model does not provide that input",
    ]);
    expect(problemsOf(START, [-1, 2])).toEqual([
      "sequence control 'S' in model 'm' has dims [2] but dims [1] is expected",
    ]);
    expect(problemsOf(`${STATE} }`)).toEqual([
      "output state 'O' in model 'm' has dims [3] but dims [2] is expected",
      "output state 'O' in model 'm' has data-type TYPE_FP32 but data-type TYPE_INT32 is expected",
    ]);
  });
});
