import { describe, expect, it } from 'vitest';
import { valuesOf } from '../testing/build.js';
import { tensor, type ModelResponse } from './model-api.js';
import { checkedAnswers, checkedOutputs } from './script-answers.js';

const RULES = {
  batched: true,
  outputs: [
    { name: 'score', dataType: 'FP32' as const, dims: [-1] },
    { name: 'label', dataType: 'BYTES' as const, dims: [1] },
  ],
};
const ASKED = { rows: 1, outputs: ['score'] };

describe('the answers of execute', () => {
  it('are the outputs that the caller wants', () => {
    const answer = {
      outputs: { label: tensor('BYTES', [1, 1], ['x']), score: tensor('FP32', [1, 2], [1, 2]) },
    };

    const outputs = checkedOutputs(RULES, ASKED, answer);

    expect(outputs.map(({ name, shape }) => [name, shape])).toEqual([['score', [1, 2]]]);
    expect(valuesOf(outputs[0]!)).toEqual([1, 2]);
  });

  it.each<[unknown, string]>([
    [undefined, 'an answer must be { outputs: { … } } or an Error, got undefined'],
    [
      { outputs: { score: [1, 2] } },
      "output 'score' must be a tensor(dataType, shape, elements), got an array of 2",
    ],
    [
      { outputs: { score: { dataType: 'FP32', shape: [1, 1], data: [1] } } },
      "output 'score' is FP32, whose elements are a Float32Array, but they are a Array: make it with tensor()",
    ],
    [
      { outputs: { score: { dataType: 'FP32', shape: [1, 2], data: Float32Array.of(1) } } },
      "output 'score' has 1 elements, but shape [1,2] has 2",
    ],
    [
      { outputs: { score: tensor('FP32', [2, 1], [1, 2]) } },
      "output 'score' is FP32 [2,1], but the configuration says FP32 [1,-1]",
    ],
    [
      { outputs: { score: { dataType: 'FP32', shape: [1, 1], data: null } } },
      "output 'score' must be a tensor(dataType, shape, elements), got an object of another kind",
    ],
    [
      { outputs: { score: { dataType: 'toString', shape: [1, 1], data: [] } } },
      "output 'score' has data type 'toString', which is none",
    ],
    [
      { outputs: { score: { dataType: 'FP32', shape: [1, '1'], data: Float32Array.of(1) } } },
      "output 'score' must have a shape of whole numbers from 0 on, got [1,1]",
    ],
    [
      { outputs: { score: { dataType: 'FP32', shape: [-1, -1], data: Float32Array.of(1) } } },
      "output 'score' must have a shape of whole numbers from 0 on, got [-1,-1]",
    ],
    [
      {
        outputs: {
          score: { dataType: 'FP32', shape: [1, 1], data: Object.create(null) as unknown },
        },
      },
      "output 'score' is FP32, whose elements are a Float32Array, but they are a object",
    ],
    [
      {
        outputs: {
          score: tensor('FP32', [1, 1], [1]),
          label: { dataType: 'BYTES', shape: [1, 1], data: ['x'] },
        },
      },
      "element 0 of output 'label' must be a Uint8Array, got a string: make it with tensor()",
    ],
  ])('are refused: %o', (answer, text) => {
    const asked = { rows: 1, outputs: ['score', 'label'] };
    expect(() => checkedOutputs(RULES, asked, answer as ModelResponse)).toThrow(text);
  });

  it('are one for each request', () => {
    expect(checkedAnswers([1, 2], 2)).toEqual([1, 2]);
    expect(checkedAnswers(new Array(2), 2).map(String)).toEqual(['undefined', 'undefined']);
    expect(() => checkedAnswers([1], 2)).toThrow('one answer for each of 2 requests, got 1');
    expect(() => checkedAnswers(null, 2)).toThrow('one answer for each of 2 requests, got null');
  });
});
