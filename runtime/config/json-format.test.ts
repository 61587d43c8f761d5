import { describe, expect, it } from 'vitest';
import { parseJsonModelConfig, parseModelConfig } from './parse-model-config.js';

function read(json: unknown): Record<string, unknown> {
  const { message, problems } = parseJsonModelConfig(JSON.stringify(json));
  expect(problems).toEqual([]);
  return message;
}

function problemsOf(text: string): string[] {
  return parseJsonModelConfig(text).problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('a configuration in JSON', () => {
  it('is what the same configuration is in text format', () => {
    const text = `
      name: "m" max_batch_size: 4
      input [ { name: "x" data_type: TYPE_FP32 dims: [ -1, 2 ] } ]
      dynamic_batching { max_queue_delay_microseconds: 100 preferred_batch_size: [ 2 ] }
      instance_group [ { count: 2 kind: KIND_CPU } ]
      parameters { key: "a" value { string_value: "b" } }
      optimization { graph { level: -1 } input_pinned_memory { enable: true } }`;
    const json = {
      name: 'm',
      max_batch_size: 4,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [-1, 2] }],
      dynamic_batching: { max_queue_delay_microseconds: 100, preferred_batch_size: [2] },
      instance_group: [{ count: 2, kind: 'KIND_CPU' }],
      parameters: { a: { string_value: 'b' } },
      optimization: { graph: { level: -1 }, input_pinned_memory: { enable: true } },
    };

    expect(read(json)).toEqual(parseModelConfig(text).message);
  });

  it('may name its fields in camel case', () => {
    expect(read({ maxBatchSize: 2, dynamicBatching: { preferredBatchSize: [1] } })).toEqual({
      max_batch_size: 2,
      dynamic_batching: { preferred_batch_size: [1] },
    });
  });

  it.each([
    ['an enum by number', { input: [{ data_type: 11 }] }, { input: [{ data_type: 'TYPE_FP32' }] }],
    ['an int64 as a string', { input: [{ dims: ['-1', 2] }] }, { input: [{ dims: [-1, 2] }] }],
    [
      'a uint64 beyond 2^53',
      { dynamic_batching: { priority_levels: '18446744073709551615' } },
      { dynamic_batching: { priority_levels: '18446744073709551615' } },
    ],
    ['an int32 as a string', { max_batch_size: '8' }, { max_batch_size: 8 }],
    ['a whole number with a fraction of none', { max_batch_size: 8.0 }, { max_batch_size: 8 }],
    ['null, which is absent', { max_batch_size: null }, {}],
    [
      'keys of maps that objects have themselves',
      { parameters: JSON.parse('{"__proto__": {"string_value": "x"}}') as object },
      { parameters: JSON.parse('{"__proto__": {"string_value": "x"}}') as object },
    ],
  ])('has %s', (_what, json, message) => {
    expect(read(json)).toEqual(message);
  });

  it('tells everything that is wrong, each with its path', () => {
    const text = JSON.stringify({
      name: 7,
      maxBatchSizes: 1,
      input: [{ name: 'x', dims: ['one'] }, 'y', { data_type: 'FP32' }],
      dynamic_batching: { preserve_ordering: 'yes', priority_levels: -1 },
      parameters: { a: { value: 'b' } },
      output: {},
    });

    expect(problemsOf(text)).toEqual([
      'name: expected a value of type string, got 7',
      "maxBatchSizes: message ModelConfig has no field 'maxBatchSizes'; did you mean 'max_batch_size'?",
      'input[0].dims[0]: expected a value of type int64, got "one"',
      'input[1]: expected an object (message ModelInput), got "y"',
      expect.stringMatching(/^input\[2\]\.data_type: expected one of TYPE_INVALID, .* got "FP32"$/),
      'dynamic_batching.preserve_ordering: expected a value of type bool (true or false), got "yes"',
      'dynamic_batching.priority_levels: expected a value of type uint64 (0 to 18446744073709551615), got -1',
      `parameters["a"].value: message ModelParameter has no field 'value'; did you mean 'string_value'?`,
      "output: field 'output' takes a list, got an object",
    ]);
  });

  it.each([
    ['not json', /^: the configuration is not JSON: /],
    ['', /^: the configuration is not JSON: /],
    ['[]', /^: expected an object \(message ModelConfig\), got a list$/],
    ['{"max_batch_size": 1.5}', /^max_batch_size: expected a value of type int32, got 1\.5$/],
    ['{"max_batch_size": 3000000000}', /^max_batch_size: .*\(-2147483648 to 2147483647\)/],
    ['{"input": [{"dims": [9007199254740993]}]}', /beyond 2\^53 must be written as a string/],
    ['{"max_batch_size": 1, "maxBatchSize": 2}', /is given more than once$/],
    [
      '{"version_policy": {"all": {}, "latest": {}}}',
      /^version_policy\.latest: field 'latest' excludes 'all', given above$/,
    ],
    [
      '{"dynamic_batching": {"priority_queue_policy": {"x": {}}}}',
      /^dynamic_batching\.priority_queue_policy\["x"\]: expected a value of type uint64, got "x"$/,
    ],
  ])('%s is refused', (text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(problem)]);
  });
});
