import { describe, expect, it } from 'vitest';
import { fallbackProblems, type CheckedFallback } from './check-fallbacks.js';
import type { PartModel, PartTensor } from './check-parts.js';
import { formatProblem } from './config-problem.js';

const tensor = (name: string, dataType: string, ...dims: number[]): PartTensor => ({
  ...{ name, dataType },
  shape: [-1, ...dims],
});

const WHOLE: PartModel = {
  ...{ name: 'large', maxBatchSize: 8 },
  inputs: [tensor('x', 'TYPE_FP32', -1), tensor('mask', 'TYPE_BOOL', 4)],
  outputs: [tensor('score', 'TYPE_FP32', 10), tensor('label', 'TYPE_STRING', 1)],
};

const SMALL: PartModel = {
  ...{ name: 'small', maxBatchSize: 8 },
  inputs: [tensor('x', 'TYPE_FP32', 4)],
  outputs: [tensor('score', 'TYPE_FP32', 3)],
};

function problemsOf(
  model: Partial<PartModel>,
  { inputs = {}, outputs = {} }: Partial<Record<'inputs' | 'outputs', Record<string, string>>> = {},
  more: Partial<CheckedFallback> = {},
): string[] {
  const names = {
    inputs: new Map(Object.entries(inputs)),
    outputs: new Map(Object.entries(outputs)),
  };
  const fallback = { names, path: 'fallback[0]', decoupled: false, ...more };
  return fallbackProblems(WHOLE, { ...fallback, model: { ...SMALL, ...model } }).map(formatProblem);
}

describe('fallbackProblems', () => {
  it('finds nothing wrong with one that needs fewer inputs and has fewer outputs, of other shapes', () => {
    expect(problemsOf({})).toEqual([]);
  });

  it('finds nothing wrong with maps between other names', () => {
    const model = {
      inputs: [
        tensor('in', 'TYPE_FP32', 4),
        { ...tensor('extra', 'TYPE_INT8', 1), optional: true },
      ],
      outputs: [tensor('out', 'TYPE_STRING', 1), tensor('more', 'TYPE_INT8', 1)],
    };

    expect(problemsOf(model, { inputs: { in: 'x' }, outputs: { out: 'label' } })).toEqual([]);
  });

  it('finds everything that is wrong, each with its place', () => {
    const model: Partial<PartModel> = {
      maxBatchSize: 4,
      inputs: [tensor('x', 'TYPE_INT64', 4), tensor('user', 'TYPE_STRING', 1)],
      outputs: [tensor('score', 'TYPE_FP64', 3)],
    };

    expect(problemsOf(model, {}, { decoupled: true })).toEqual([
      "fallback[0]: fallback 'small' of model 'large' answers a request any number of times (decoupled), and one answer is needed",
      "fallback[0]: fallback 'small' of model 'large' takes at most 4 rows, and 8 may be asked",
      "fallback[0].input_map: fallback 'small' of model 'large' takes TYPE_INT64 [-1,4] for input 'x', and would be given 'x', which is TYPE_FP32 [-1,-1]",
      "fallback[0].input_map: fallback 'small' of model 'large' needs an input 'user', and nothing is given to it",
      "fallback[0].output_map: fallback 'small' of model 'large' has TYPE_FP64 for output 'score', which is TYPE_FP32",
    ]);
  });

  it('finds names in maps that the fallback does not have', () => {
    const maps = { inputs: { x: 'x', y: 'mask' }, outputs: { scores: 'score' } };

    expect(problemsOf({}, maps)).toEqual([
      "fallback[0].input_map[\"y\"]: fallback 'small' of model 'large' has no such input",
      "fallback[0].output_map[\"scores\"]: fallback 'small' of model 'large' has no such output",
      "fallback[0].output_map: fallback 'small' of model 'large' has none of the outputs",
    ]);
  });

  it('finds sizes that can never fit, and rows where there are none', () => {
    expect(problemsOf({ inputs: [tensor('mask', 'TYPE_BOOL', 5)] })).toHaveLength(1);
    expect(
      problemsOf({
        maxBatchSize: 0,
        inputs: [{ name: 'mask', dataType: 'TYPE_BOOL', shape: [4] }],
      }),
    ).toHaveLength(2);
  });
});
