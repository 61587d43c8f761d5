import { describe, expect, it } from 'vitest';
import { compileModelConfig, type ModelConfig } from './model-config.js';
import { parseModelConfig } from './parse-model-config.js';
import { readWarmUp } from './warm-up-config.js';

const MODEL = `
  name: "m" max_batch_size: 4
  input [ { name: "A" data_type: TYPE_FP32 dims: [ 2 ] }, { name: "B" data_type: TYPE_STRING dims: [ -1 ] } ]
  output [ { name: "C" data_type: TYPE_FP32 dims: [ 2 ] } ]`;
const A = 'inputs { key: "A" value { data_type: TYPE_FP32 dims: [ 2 ] zero_data: true } }';
const B =
  'inputs { key: "B" value { data_type: TYPE_STRING dims: [ 3 ] input_data_file: "words" } }';

function config(warmUp: string, model = MODEL): ModelConfig {
  const { message, problems } = parseModelConfig(`${model} model_warmup [ ${warmUp} ]`);
  expect(problems).toEqual([]);
  return compileModelConfig(message, { inputs: [], outputs: [] });
}

function problemsOf(warmUp: string): string[] {
  return readWarmUp(config(warmUp)).problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('readWarmUp', () => {
  it('gives samples with their inputs in the order of the model', () => {
    const { samples, problems } = readWarmUp(
      config(`{ name: "w" batch_size: 3 count: 2 ${B} ${A} }`),
    );

    expect(problems).toEqual([]);
    expect(samples).toEqual([
      {
        name: 'w',
        requests: 3,
        runs: 2,
        inputs: [
          { name: 'A', dataType: 'FP32', dims: [2], source: { kind: 'zero' } },
          { name: 'B', dataType: 'BYTES', dims: [3], source: { kind: 'file', filename: 'words' } },
        ],
      },
    ]);
  });

  it('runs a sample once unless told otherwise', () => {
    expect(readWarmUp(config(`{ batch_size: 1 ${A} ${B} }`)).samples[0]!.runs).toBe(1);
  });

  it('leaves out samples of batch size 0', () => {
    expect(readWarmUp(config(`{ name: "w" ${A} ${B} }`))).toEqual({ samples: [], problems: [] });
  });

  it.each([
    [
      'more rows than a batch may have',
      `{ name: "w" batch_size: 5 ${A} ${B} }`,
      "model_warmup[0].batch_size: warmup sample 'w': batch_size is 5, expected at most 4 for 'm'",
    ],
    [
      'an input that is not there',
      `{ name: "w" batch_size: 1 ${A} }`,
      "model_warmup[0].inputs: warmup sample 'w': inputs lacks input 'B' of the model",
    ],
    [
      'an input that the model has not',
      `{ name: "w" batch_size: 1 ${A} ${B} inputs { key: "X" value { zero_data: true } } }`,
      "model_warmup[0].inputs: warmup sample 'w': inputs names 'X', which the model has not",
    ],
    [
      'a wrong type',
      `{ name: "w" batch_size: 1 ${A.replace('FP32', 'INT8')} ${B} }`,
      "model_warmup[0].inputs['A'].data_type: [request id: <id_unknown>] inference input 'A' data-type is 'INT8', but model 'm' expects 'FP32'",
    ],
    [
      'a wrong shape',
      `{ name: "w" batch_size: 1 ${A.replace('[ 2 ]', '[ 3 ]')} ${B} }`,
      "model_warmup[0].inputs['A'].dims: [request id: <id_unknown>] unexpected shape for input 'A' for model 'm'. " +
        'Expected [-1,2], got [1,3]. NOTE: Setting a non-zero max_batch_size in the model config requires a batch dimension to be ' +
        'prepended to each input shape. If you want to specify the full shape including the batch dim in your input dims config, ' +
        'try setting max_batch_size to zero. See the model configuration docs for more info on max_batch_size.',
    ],
    [
      'a size that is left open',
      `{ name: "w" batch_size: 1 ${A} ${B.replace('[ 3 ]', '[ -1 ]')} }`,
      "model_warmup[0].inputs['B'].dims: warmup sample 'w': inputs['B'].dims dimension of warmup input 'B' must have integer specified",
    ],
    [
      'no data',
      `{ name: "w" batch_size: 1 ${A.replace('zero_data: true', '')} ${B} }`,
      "model_warmup[0].inputs['A']: warmup sample 'w': inputs['A'] has none of zero_data: true, random_data: true and input_data_file",
    ],
  ])('complains of %s', (_what, warmUp, problem) => {
    expect(problemsOf(warmUp)).toEqual([problem]);
  });

  it('knows one row alone where the model is not batched', () => {
    const unbatched = MODEL.replace('max_batch_size: 4', '');

    const { problems } = readWarmUp(config(`{ batch_size: 2 ${A} ${B} }`, unbatched));

    expect(problems.map(({ message }) => message)).toEqual([
      "warmup sample '': batch_size is 2, expected at most 1 for 'm'",
    ]);
  });
});
