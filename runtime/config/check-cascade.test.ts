import { describe, expect, it } from 'vitest';
import { cascadeConfig } from './cascade-config.js';
import { cascadePartProblems } from './check-cascade.js';
import type { PartModel, PartTensor } from './check-parts.js';
import { formatProblem } from './config-problem.js';
import { parseModelConfig } from './parse-model-config.js';

const tensor = (name: string, dataType: string, ...dims: number[]): PartTensor => ({
  ...{ name, dataType },
  shape: [-1, ...dims],
});

const WHOLE: PartModel = {
  ...{ name: 'whole', maxBatchSize: 8 },
  inputs: [tensor('x', 'TYPE_FP32', 1)],
  outputs: [tensor('score', 'TYPE_FP32', 3)],
};

const MODEL: PartModel = {
  ...{ name: 'm', maxBatchSize: 4 },
  inputs: [tensor('in', 'TYPE_FP32', 1)],
  outputs: [tensor('out', 'TYPE_FP32', 3), tensor('text', 'TYPE_STRING', -1)],
};

function problemsOf(rule: string, model: Partial<PartModel> = {}, whole = WHOLE): string[] {
  const { message } =
    parseModelConfig(`cascade_scheduling { stage { model_name: "m" exit_when { ${rule} }
    input_map { key: "in" value: "x" } output_map { key: "out" value: "score" } output_map { key: "text" value: "label" } } }`);
  const [config] = cascadeConfig(message)!.stages;
  const part = { config: config!, model: { ...MODEL, ...model }, path: 'stage[0]' };
  return cascadePartProblems(whole, [part]).map(formatProblem);
}

const RULE = 'tensor: "score" above: 0.9';

describe('cascadePartProblems', () => {
  it.each([
    RULE,
    'tensor: "score" index: 2 below: 1',
    'tensor: "score" index: -1 equals: 1',
    'tensor: "label" equals_string: "a"',
    'tensor: "label" index: 9 equals_string: "a"',
    'tensor: "x" equals: 1',
  ])('finds nothing wrong with { %s }, nor with a model that takes fewer rows', (rule) => {
    expect(problemsOf(rule)).toEqual([]);
  });

  it.each([
    [
      'tensor: "label" above: 1',
      "exit rule 'label above 1': above cannot be asked of tensor label, which is TYPE_STRING",
    ],
    [
      'tensor: "score" equals_string: "1"',
      "exit rule 'score equals '1'': equals_string cannot be asked of tensor score, which is TYPE_FP32",
    ],
    [
      'tensor: "score" index: 3 above: 1',
      "exit rule 'score[3] above 1': tensor score has no element 3: its rows are [3]",
    ],
  ])('says what is wrong with { %s }', (rule, problem) => {
    expect(problemsOf(rule)).toEqual([`stage[0].exit_when[0]: in cascade whole, ${problem}`]);
  });

  it('wants models that take rows', () => {
    expect(problemsOf(RULE, { maxBatchSize: 0 })).toEqual([
      'stage[0]: in cascade whole, model m has max_batch_size 0: a stage must take rows',
    ]);
  });

  it('wants models and cascade to agree on types and shapes', () => {
    const outputs = [tensor('score', 'TYPE_FP64', 3)];

    expect(problemsOf(RULE, {}, { ...WHOLE, outputs })).toEqual([
      'stage[0].output_map["out"]: in cascade whole, cascade tensor score: inconsistent data type: TYPE_FP64 is inferred from ' +
        'model whole while TYPE_FP32 is inferred from model m',
    ]);
  });
});
