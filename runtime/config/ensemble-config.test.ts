import { describe, expect, it } from 'vitest';
import { ensembleConfig } from './ensemble-config.js';
import { dependenciesOf } from './model-dependencies.js';
import { parseModelConfig } from './parse-model-config.js';

const TEXT = `
  ensemble_scheduling {
    max_inflight_requests: 3
    step [
      { model_name: "a" model_version: -1 input_map { key: "X" value: "I" } output_map { key: "Y" value: "t" }
        timeout_microseconds: 1500 on_error: CONTINUE },
      { model_name: "b" model_version: 2 input_map { key: "X" value: "t" } output_map { key: "Y" value: "O" } },
      { model_name: "a" input_map { key: "X" value: "I" } output_map { key: "Y" value: "P" } }
    ]
  }`;

const message = (text: string): ReturnType<typeof parseModelConfig>['message'] =>
  parseModelConfig(text).message;

describe('ensembleConfig', () => {
  it('knows nothing of models that are no ensembles', () => {
    expect(ensembleConfig(message('name: "m"'))).toBeUndefined();
  });

  it('has what each step asks, and how', () => {
    const config = ensembleConfig(message(TEXT));

    expect(config?.maxInflight).toBe(3);
    expect(config?.steps[0]).toEqual({
      model: { name: 'a', version: 0 },
      inputs: [{ part: 'X', whole: 'I' }],
      outputs: [{ part: 'Y', whole: 't' }],
      timeoutMs: 1.5,
      continues: true,
    });
    expect(config?.steps[1]).toMatchObject({
      model: { name: 'b', version: 2 },
      timeoutMs: Infinity,
      continues: false,
    });
  });
});

describe('dependenciesOf', () => {
  it('names each model and version once', () => {
    expect(dependenciesOf(message(TEXT))).toEqual([
      { name: 'a', version: 0, required: true },
      { name: 'b', version: 2, required: true },
    ]);
  });

  it('does not require what is asked only when something else fails', () => {
    const text = `resilience { fallback [ { model_name: "small" }, { level: "last" last_good { max_age_seconds: 1 } } ] }`;

    expect(dependenciesOf(message(text))).toEqual([{ name: 'small', version: 0, required: false }]);
  });
});
