import { describe, expect, it } from 'vitest';
import { configValues, unsentValue } from './config-values.js';

describe('configValues', () => {
  it('lists every value under its path', () => {
    const values = configValues({
      max_batch_size: 0,
      name: 'm',
      input: [{ name: 'x', dims: [-1, 64], reshape: { shape: [] } }, { data_type: 'TYPE_FP32' }],
      dynamic_batching: {},
      parameters: { 'a.b': { string_value: 'v' }, 'say "k"': {} },
      metric_tags: { t: 'u' },
      output: [],
      optimization: null,
    });

    expect([...values]).toEqual([
      ['name', '"m"'],
      ['max_batch_size', '0'],
      ['input[0].name', '"x"'],
      ['input[0].dims', '[ -1, 64 ]'],
      ['input[0].reshape', '{ }'],
      ['input[1].data_type', 'TYPE_FP32'],
      ['dynamic_batching', '{ }'],
      ['metric_tags["t"]', '"u"'],
      ['parameters["a.b"].string_value', '"v"'],
      [String.raw`parameters["say \"k\""]`, '{ }'],
    ]);
  });
});

describe('unsentValue', () => {
  it.each([
    ['max_batch_size', '0'],
    ['input[3].optional', 'false'],
    ['input[0].data_type', 'TYPE_INVALID'],
    ['parameters["a.b[0]"].string_value', '""'],
    ['metric_tags["x"]', '""'],
    ['dynamic_batching', ''],
    ['nonsense.at_all', ''],
    ['name.of', ''],
  ])('of %s is %s', (path, value) => {
    expect(unsentValue(path)).toBe(value);
  });
});
