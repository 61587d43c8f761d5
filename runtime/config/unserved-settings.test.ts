import { describe, expect, it } from 'vitest';
import { parseModelConfig } from './parse-model-config.js';
import { ineffectiveSettings, unservedSetting } from './unserved-settings.js';

function parameters(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([key, value]) => `parameters { key: "${key}" value { string_value: "${value}" } }`)
    .join('\n');
}

describe('unservedSetting', () => {
  it.each([
    ['model_transaction_policy { decoupled: true }', "the 'decoupled' transaction policy"],
    ['model_repository_agents { agents { name: "checksum" } }', 'model_repository_agents'],
    [
      'sequence_batching { iterative_sequence: true }',
      'sequence_batching.iterative_sequence, for which a model has no way here to ask for its next iteration,',
    ],
    ['traffic { champion: 1 }', 'traffic'],
  ])('finds %s', (text, setting) => {
    expect(unservedSetting(parseModelConfig(text).message)).toBe(setting);
  });

  it.each([
    'max_batch_size: 4',
    'model_transaction_policy { decoupled: false }',
    'resilience { timeout_microseconds: 1 }',
    'traffic { }',
  ])('finds nothing in %s', (text) => {
    expect(unservedSetting(parseModelConfig(text).message)).toBeUndefined();
  });
});

describe('ineffectiveSettings', () => {
  it('tells of parameters that remote models do not know', () => {
    const { message } = parseModelConfig(
      `backend: "remote" ${parameters({ endpoints: 'a:1', tsl: 'true', health_check: 'true' })}`,
    );

    expect(ineffectiveSettings(message, { hasResponseCache: false })).toEqual([
      "parameter 'tsl' is not known to remote models and ignored",
    ]);
  });

  it('says what a configuration asks for in vain', () => {
    const { message } = parseModelConfig(`
      optimization { cuda { graphs: true } execution_accelerators { cpu_execution_accelerator { name: "openvino" } } }
      ${parameters({ gpu_mem_limit: '1' })}`);

    expect(ineffectiveSettings(message, { hasResponseCache: false })).toEqual([
      "execution accelerator 'openvino' is not available and ignored",
      'optimization.cuda is known only to CUDA graphs and ignored',
      "parameter 'gpu_mem_limit' cannot reach ONNX Runtime from Node and is ignored",
    ]);
  });
});

describe('optimization.eager_batching', () => {
  it('is nothing to be told of: batches are gathered as requests come', () => {
    const { message } = parseModelConfig('optimization { eager_batching: true }');

    expect(ineffectiveSettings(message, { hasResponseCache: false })).toEqual([]);
  });
});

describe('metric_tags', () => {
  it('are told of where they can be no label', () => {
    const { message } = parseModelConfig(
      'metric_tags [ { key: "team" value: "a" }, { key: "_name_" value: "b" } ]',
    );

    expect(ineffectiveSettings(message, { hasResponseCache: false })).toEqual([
      "metric_tags '_name_' can be no label and is ignored",
    ]);
  });
});

describe('the order of a queue', () => {
  it('is told of where sequences make it', () => {
    const { message } = parseModelConfig(
      `sequence_batching { } ${parameters({ queue_order: 'deadline', shed_late: 'true' })}`,
    );

    expect(ineffectiveSettings(message, { hasResponseCache: false })).toEqual([
      "parameter 'queue_order' is not known to sequence batching and ignored",
      "parameter 'shed_late' is not known to sequence batching and ignored",
    ]);
  });
});

describe('settings of the scheduler and of instances that have no effect yet', () => {
  it.each([
    ['monitoring { psi_warn: 0.1 }', 'monitoring'],
    ['instance_group [ { host_policy: "p" } ]', 'instance_group.host_policy'],
  ])('are told of: %s', (text, setting) => {
    const { message } = parseModelConfig(text);

    expect(ineffectiveSettings(message, { hasResponseCache: false })).toEqual([
      `${setting} is not acted on by this version of inferd and ignored`,
    ]);
  });
});

describe('a hedge', () => {
  const warningsOf = (policy: string): string[] => {
    const { message } = parseModelConfig(`resilience { ${policy} }`);
    return ineffectiveSettings(message, { hasResponseCache: false });
  };

  it('is told of where the timeout ends the request before it begins', () => {
    expect(warningsOf('timeout_microseconds: 50000 hedge { delay_microseconds: 50000 }')).toEqual([
      'resilience.hedge is due only after timeout_microseconds and ignored',
    ]);
  });

  it.each([
    'timeout_microseconds: 50000 hedge { delay_microseconds: 20000 }',
    'timeout_microseconds: 50000 hedge { delay_quantile: 0.9 }',
    'hedge { delay_microseconds: 50000 }',
    'timeout_microseconds: 50000',
  ])('is not where it can begin: %s', (policy) => {
    expect(warningsOf(policy)).toEqual([]);
  });
});

describe('max_inflight_requests', () => {
  it('is told of where no step can be decoupled', () => {
    const { message } = parseModelConfig('ensemble_scheduling { max_inflight_requests: 2 }');

    expect(ineffectiveSettings(message, { hasResponseCache: false })).toEqual([
      "ensemble_scheduling.max_inflight_requests bounds the answers of decoupled steps, which only a 'decoupled' ensemble has, and ignored",
    ]);
  });

  it('is not where one may be', () => {
    const { message } = parseModelConfig(
      'ensemble_scheduling { max_inflight_requests: 2 } model_transaction_policy { decoupled: true }',
    );

    expect(ineffectiveSettings(message, { hasResponseCache: false })).toEqual([]);
    expect(unservedSetting(message)).toBeUndefined();
  });
});

describe('response_cache', () => {
  const { message } = parseModelConfig('response_cache { enable: true }');

  it('is told of where the model asks others', () => {
    const ensemble = { ...message, ensemble_scheduling: {} };

    expect(ineffectiveSettings(ensemble, { hasResponseCache: true })).toEqual([
      'response_cache is ignored: ensembles are not cached, the models they ask may be',
    ]);
  });

  it('is told of where the server has no cache', () => {
    expect(ineffectiveSettings(message, { hasResponseCache: false })).toEqual([
      'response_cache is ignored: the server runs without --cache-config',
    ]);
  });

  it('is acted on where it has one', () => {
    expect(ineffectiveSettings(message, { hasResponseCache: true })).toEqual([]);
  });
});
