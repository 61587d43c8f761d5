import { describe, expect, it } from 'vitest';
import { aMessage } from '../testing/build.js';
import { parseModelConfig } from './parse-model-config.js';
import { validateModelConfig } from './validate-model-config.js';
import { resilienceProblems } from './validate-resilience.js';

function problems(resilience: string, more = ''): string[] {
  const { message, problems: unreadable } = parseModelConfig(
    `resilience { ${resilience} } ${more}`,
  );
  expect(unreadable).toEqual([]);
  return resilienceProblems(aMessage(message)).map(({ path, message: text }) => `${path}: ${text}`);
}

const TENSORS = `
  input [ { name: "a" data_type: TYPE_FP32 dims: [ 1 ] } ]
  output [ { name: "b" data_type: TYPE_FP32 dims: [ 1 ] } ]`;

describe('resilienceProblems', () => {
  it.each([
    '',
    'max_concurrency: 1 timeout_microseconds: 1 retry { } circuit_breaker { }',
    'hedge { delay_microseconds: 1 }',
    'hedge { delay_quantile: 0.99 max_attempts: 10 budget_percent: 100 }',
    'retry { max_attempts: 10 initial_backoff_microseconds: 5 max_backoff_microseconds: 5 }',
    'fallback [ { model_name: "m" model_version: 2 }, { model_name: "other" model_version: -1 } ]',
    'fallback { model_name: "o" input_map { key: "x" value: "a" } output_map { key: "y" value: "b" } }',
    'fallback { last_good { max_age_seconds: 5 key_parameter: "user" } }',
  ])('finds nothing in %s', (resilience) => {
    expect(problems(resilience, TENSORS)).toEqual([]);
  });

  const oneDelay =
    "resilience.hedge: exactly one of delay_microseconds and delay_quantile must be set for model 'm'";
  const oneTarget =
    "resilience.fallback[0]: exactly one of model_name and last_good must be set for model 'm'";

  it.each([
    ['hedge { }', oneDelay],
    ['hedge { delay_microseconds: 1 delay_quantile: 0.5 }', oneDelay],
    [
      'hedge { delay_quantile: 1 }',
      "resilience.hedge.delay_quantile: must be between 0 and 1, got 1, for model 'm'",
    ],
    [
      'hedge { delay_quantile: -0.5 }',
      "resilience.hedge.delay_quantile: must be between 0 and 1, got -0.5, for model 'm'",
    ],
    [
      'hedge { delay_quantile: 0.9 max_attempts: 11 }',
      "resilience.hedge.max_attempts: must be at most 10, got 11, for model 'm'",
    ],
    [
      'hedge { delay_quantile: 0.9 budget_percent: 101 }',
      "resilience.hedge.budget_percent: must be from 0 to 100, got 101, for model 'm'",
    ],
    [
      'retry { max_attempts: 11 }',
      "resilience.retry.max_attempts: must be at most 10, got 11, for model 'm'",
    ],
    [
      'retry { initial_backoff_microseconds: 6 max_backoff_microseconds: 5 }',
      "resilience.retry.max_backoff_microseconds: must not be less than initial_backoff_microseconds, got 5 and 6, for model 'm'",
    ],
    ['fallback { }', oneTarget],
    ['fallback { model_name: "o" last_good { key_parameter: "k" } }', oneTarget],
    [
      'fallback { last_good { } }',
      "resilience.fallback[0].last_good.key_parameter: must name a request parameter for model 'm'",
    ],
    [
      'fallback { last_good { key_parameter: "k" } output_map { key: "b" value: "b" } }',
      "resilience.fallback[0].output_map: goes with model_name only for model 'm'",
    ],
    [
      'fallback { last_good { key_parameter: "k" } model_version: 1 }',
      "resilience.fallback[0].model_version: goes with model_name only for model 'm'",
    ],
    [
      'fallback { model_name: "m" }',
      "resilience.fallback[0].model_name: names the model itself without naming another version for model 'm'",
    ],
    [
      'fallback { model_name: "o" model_version: -2 }',
      "resilience.fallback[0].model_version: must be a version, or 0 or -1 for the latest, got -2, for model 'm'",
    ],
    [
      'fallback { model_name: "o" input_map { key: "x" value: "c" } }',
      `resilience.fallback[0].input_map["x"]: 'c' is no input for model 'm'`,
    ],
    [
      'fallback { model_name: "o" output_map { key: "x" value: "a" } }',
      `resilience.fallback[0].output_map["x"]: 'a' is no output for model 'm'`,
    ],
    [
      'fallback { model_name: "o" output_map [ { key: "x" value: "b" }, { key: "y" value: "b" } ] }',
      "resilience.fallback[0].output_map: gives output 'b' more than once for model 'm'",
    ],
  ])('finds what is wrong with %s', (resilience, problem) => {
    expect(problems(resilience, TENSORS)).toEqual([problem]);
  });

  it('knows no names of tensors before the model has been looked at', () => {
    const target = 'fallback { model_name: "o" input_map { key: "x" value: "c" } }';

    expect(problems(target)).toEqual([]);
  });

  it('finds everything at once', () => {
    const found = problems(
      'hedge { max_attempts: 99 } retry { max_attempts: 99 } fallback [ { }, { model_name: "m" } ]',
    );

    expect(found).toHaveLength(5);
  });

  it('lets a decoupled model have what does not ask twice, and nothing else', () => {
    const decoupled = 'model_transaction_policy { decoupled: true }';
    const all = 'timeout_microseconds: 5 max_concurrency: 2 circuit_breaker { }';
    const asking = `hedge { delay_quantile: 0.5 } retry { } fallback { model_name: "o" }`;

    expect(problems(all, decoupled)).toEqual([]);
    expect(problems(asking, decoupled)).toEqual(
      ['hedge', 'retry', 'fallback'].map(
        (policy) =>
          `resilience.${policy}: ${policy} does not go with the 'decoupled' transaction policy, as answers that have left ` +
          `cannot be taken back, for model 'm'`,
      ),
    );
  });

  it('is part of what is checked of every model', () => {
    const { message } = parseModelConfig('resilience { hedge { } }');

    expect(validateModelConfig(aMessage(message), 'm').map(({ path }) => path)).toContain(
      'resilience.hedge',
    );
  });
});
