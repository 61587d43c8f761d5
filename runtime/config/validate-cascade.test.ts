import { describe, expect, it } from 'vitest';
import { formatProblem } from './config-problem.js';
import { parseModelConfig } from './parse-model-config.js';
import { cascadeProblems } from './validate-cascade.js';

const INPUT = 'input [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] } ]';
const OUTPUT = 'output [ { name: "score" data_type: TYPE_FP32 dims: [ 1 ] } ]';

function stage(
  { takes = 'x', writes = 'score', rules = '', more = '' }: Partial<Record<string, string>> = {},
  model = 'm',
): string {
  return `stage { model_name: "${model}" input_map { key: "in" value: "${takes}" } output_map { key: "out" value: "${writes}" } ${rules} ${more} }`;
}

function problemsOf(
  stages: string,
  { input = INPUT, output = OUTPUT, more = 'max_batch_size: 4' } = {},
): string[] {
  const text = `name: "whole" platform: "cascade" ${more} ${input} ${output} cascade_scheduling { ${stages} }`;
  const { message, problems } = parseModelConfig(text);
  expect(problems).toEqual([]);
  return cascadeProblems(message).map(formatProblem);
}

const RULE = 'exit_when { tensor: "score" above: 0.9 }';
const CONTINUE = 'on_error: CONTINUE';

describe('cascadeProblems', () => {
  it('finds nothing wrong with a cascade that can be', () => {
    const output = `output [ { name: "score" data_type: TYPE_FP32 dims: [ 1 ] },
      { name: "CASCADE_STAGE" data_type: TYPE_INT32 dims: [ 1 ] }, { name: "CASCADE_DECISION" data_type: TYPE_STRING dims: [ 1 ] } ]`;

    expect(problemsOf(stage({ rules: RULE, more: CONTINUE }) + stage(), { output })).toEqual([]);
  });

  it('lets a later stage take what an earlier one wrote', () => {
    expect(problemsOf(stage({ writes: 'embed' }) + stage({ takes: 'embed' }))).toEqual([]);
  });

  it.each([
    ['platform: "cascade"', "cascade_scheduling.stage: must specify 'stage' for cascade 'whole'"],
    [
      'platform: "cascade" cascade_scheduling { }',
      "cascade_scheduling.stage: must specify 'stage' for cascade 'whole'",
    ],
    [
      'platform: "onnxruntime_onnx" cascade_scheduling { }',
      'cascade_scheduling: cascade scheduling cannot be set for model \'whole\' whose platform is not cascade: write platform: "cascade"',
    ],
  ])('wants platform and stages together: %s', (text, problem) => {
    const { message } = parseModelConfig(`name: "whole" max_batch_size: 4 ${text}`);

    expect(cascadeProblems(message).map(formatProblem)).toEqual([problem]);
  });

  it('wants each stage to have a model and maps', () => {
    expect(problemsOf(`stage { } ${stage()}`)).toEqual([
      "cascade_scheduling.stage[0].model_name: must specify 'model_name' in stage 0 of cascade 'whole'",
      "cascade_scheduling.stage[0].input_map: must specify 'input_map' in stage 0 of cascade 'whole'",
      "cascade_scheduling.stage[0].output_map: must specify 'output_map' in stage 0 of cascade 'whole'",
    ]);
  });

  it.each([
    [
      'instance_group [ { count: 1 } ]',
      "instance_group: instance group should not be specified for cascade 'whole'",
    ],
    ['optimization { }', "optimization: optimization should not be specified for cascade 'whole'"],
    [
      'model_warmup [ { name: "w" } ]',
      "model_warmup: model warm-up should not be specified for cascade 'whole'",
    ],
    [
      'response_cache { enable: true }',
      "response_cache: cascade 'whole' cannot be cached: its stages can",
    ],
    [
      'model_transaction_policy { decoupled: true }',
      "model_transaction_policy: cascade 'whole' answers once: it cannot be decoupled",
    ],
  ])('refuses what belongs to other models: %s', (setting, problem) => {
    expect(problemsOf(stage(), { more: `max_batch_size: 4 ${setting}` })).toEqual([problem]);
  });

  it('has no scheduler of another kind', () => {
    const { problems } = parseModelConfig('dynamic_batching { } cascade_scheduling { }');

    expect(problems.map(({ message }) => message)).toEqual([
      "field 'cascade_scheduling' excludes 'dynamic_batching', given above",
    ]);
  });

  it('works on rows', () => {
    expect(problemsOf(stage(), { more: '' })).toEqual([
      "max_batch_size: cascade 'whole' works on rows: max_batch_size must be at least 1",
    ]);
  });

  it('refuses optional and reshaped tensors', () => {
    const input =
      'input [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] optional: true reshape { } } ]';

    expect(problemsOf(stage(), { input })).toEqual([
      "input[0].optional: input 'x' of a cascade cannot be optional",
      "input[0].reshape: tensor 'x' of a cascade cannot be reshaped",
    ]);
  });

  it('is no stage of itself, and versions are versions', () => {
    const path = 'cascade_scheduling.stage[0]';

    expect(problemsOf(stage({ more: 'model_version: -2' }, 'whole'))).toEqual([
      `${path}.model_name: cascade 'whole' is a stage of itself`,
      `${path}.model_version: model_version must be a version, or 0 or -1 for the latest, got -2`,
    ]);
  });

  it.each([
    ['CASCADE_STAGE', 'TYPE_INT64', '1', 'TYPE_INT32'],
    ['CASCADE_STAGE', 'TYPE_INT32', '2', 'TYPE_INT32'],
    ['CASCADE_DECISION', 'TYPE_INT32', '1', 'TYPE_STRING'],
  ])('knows what %s is', (name, type, dims, wanted) => {
    const output = `output [ { name: "score" data_type: TYPE_FP32 dims: [ 1 ] }, { name: "${name}" data_type: ${type} dims: [ ${dims} ] } ]`;

    expect(problemsOf(stage(), { output })).toEqual([
      `output[1]: output '${name}' must be ${wanted} with dims [1], got ${type} with dims [${dims}]`,
    ]);
  });
});

describe('cascadeProblems, of tensors', () => {
  const path = 'cascade_scheduling';

  it('finds those that nobody writes', () => {
    expect(problemsOf(stage({ takes: 'y' }), { input: '' })).toEqual([
      `${path}.stage[0].input_map["in"]: stage 0 takes 'y', which is no input and which no stage writes`,
    ]);
  });

  it('finds those that are written too late', () => {
    expect(problemsOf(stage({ takes: 'embed' }) + stage({ writes: 'embed' }) + stage())).toEqual([
      `${path}.stage[0].input_map["in"]: stage 0 takes 'embed', which is written only by stage 1`,
    ]);
  });

  it('finds those that a stage may take and need not be there', () => {
    const stages = stage({ writes: 'embed', more: CONTINUE }) + stage({ takes: 'embed' });

    expect(problemsOf(stages)).toContain(
      `${path}.stage[1].input_map["in"]: stage 1 takes 'embed', which is written only by stage 0 (which may fail)`,
    );
  });

  it('finds inputs that nobody reads', () => {
    const input =
      'input [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] }, { name: "y" data_type: TYPE_FP32 dims: [ 1 ] } ]';

    expect(problemsOf(stage(), { input })).toEqual([
      "input[1]: cascade input 'y' for cascade 'whole' is not used",
    ]);
  });

  it('finds outputs that are not written whichever way a row goes', () => {
    const output =
      'output [ { name: "score" data_type: TYPE_FP32 dims: [ 1 ] }, { name: "label" data_type: TYPE_FP32 dims: [ 1 ] } ]';
    const early = stage({ rules: RULE }) + stage({ writes: 'label' });
    const unsure = stage({ writes: 'label', more: CONTINUE }) + stage();
    const whole = "output[1]: output 'label' is not written for every row:";

    expect(problemsOf(early, { output })).toEqual([
      `${whole} rows that are finished by stage 0 need 'label', which is written only by stage 1`,
    ]);
    expect(problemsOf(unsure, { output })).toEqual([
      `${whole} rows that reach the last stage need 'label', which is written only by stage 0 (which may fail)`,
    ]);
    expect(problemsOf(stage(), { output })).toEqual([
      `${whole} rows that reach the last stage need 'label', which is no input and which no stage writes`,
    ]);
  });

  it.each([
    ['x', "tensor 'x' is an input of cascade 'whole', which no stage can write"],
    ['CASCADE_STAGE', "tensor 'CASCADE_STAGE' is written by the server, not by a stage"],
  ])('lets no stage write %s', (writes, problem) => {
    expect(problemsOf(stage({ writes }) + stage())).toEqual([
      `${path}.stage[0].output_map["out"]: ${problem}`,
    ]);
  });

  it('lets one stage write a tensor once', () => {
    const twice = stage({ more: 'output_map { key: "other" value: "score" }' });

    expect(problemsOf(twice)).toEqual([
      `${path}.stage[0].output_map["other"]: cascade tensor 'score' can appear in an output map only once for cascade 'whole' stage 0`,
    ]);
  });
});

describe('cascadeProblems, of exit rules', () => {
  const path = 'cascade_scheduling.stage[0].exit_when[0]';

  it.each([
    ['above: 1', `${path}.tensor: exit rule must specify 'tensor'`],
    [
      'tensor: "score"',
      `${path}: exit rule must have one of above, below, equals, equals_string, got none`,
    ],
    [
      'tensor: "score" index: -2 above: 1',
      `${path}.index: index must be -1 (any element) or at least 0, got -2`,
    ],
    ['tensor: "score" below: nan', `${path}.below: no element is below NaN`],
    [
      'tensor: "other" above: 1',
      `${path}.tensor: exit rule of stage 0 tests 'other', which is no input and which no stage writes`,
    ],
    [
      'tensor: "later" above: 1',
      `${path}.tensor: exit rule of stage 0 tests 'later', which is written only by stage 1`,
    ],
    [
      'tensor: "CASCADE_STAGE" above: 1',
      `${path}.tensor: exit rule of stage 0 tests 'CASCADE_STAGE', which is known only at the end`,
    ],
  ])('says what is wrong with { %s }', (rule, problem) => {
    const stages =
      stage({ rules: `exit_when { ${rule} }` }) +
      stage({ more: 'output_map { key: "l" value: "later" }' });

    expect(problemsOf(stages)).toEqual([problem]);
  });

  it('takes 0 for a threshold', () => {
    expect(problemsOf(stage({ rules: 'exit_when { tensor: "score" above: 0 }' }))).toEqual([]);
  });

  it('finds all problems at once', () => {
    const output = 'output [ { name: "none" data_type: TYPE_FP32 dims: [ 1 ] } ]';
    const stages = stage({ takes: 'y', rules: 'exit_when { }' }) + 'stage { }';

    expect(problemsOf(stages, { output, more: 'instance_group [ { } ]' }).length).toBeGreaterThan(
      8,
    );
  });
});
