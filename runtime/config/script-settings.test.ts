import { describe, expect, it } from 'vitest';
import { completeModelConfig } from './complete-model-config.js';
import type { ModelConfigMessage } from './model-config-message.js';
import { readScriptSettings } from './script-settings.js';
import { unservedSetting } from './unserved-settings.js';

const TENSORS = {
  input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [1] }],
  output: [{ name: 'y', data_type: 'TYPE_FP32', dims: [1] }],
};

function model(more: ModelConfigMessage = {}): ModelConfigMessage {
  const written = { name: 'm', backend: 'typescript', ...TENSORS, ...more };
  return completeModelConfig(written, { name: 'm', firstVersionFiles: [], hasGpu: true });
}

describe('the settings of a model in TypeScript', () => {
  it('have defaults', () => {
    expect(readScriptSettings(model())).toMatchObject({
      settings: { decoupled: false, concurrency: 1, executionMs: 30_000, heapMb: 512 },
      problems: [],
    });
  });

  it('are read from parameters, which the code sees, too', () => {
    const parameters = {
      max_execution_ms: { string_value: '5' },
      threshold: { string_value: '0.5' },
    };

    const { settings } = readScriptSettings(model({ parameters }));

    expect(settings.executionMs).toBe(5);
    expect(settings.parameters).toEqual({ max_execution_ms: '5', threshold: '0.5' });
  });

  it('allow answers without number, as those of ONNX models do not', () => {
    const decoupled = model({ model_transaction_policy: { decoupled: true } });

    expect(readScriptSettings(decoupled)).toMatchObject({
      settings: { decoupled: true, concurrency: 64 },
      problems: [],
    });
    expect(unservedSetting(decoupled)).toBeUndefined();
    expect(unservedSetting({ ...decoupled, backend: 'onnxruntime' })).toMatch(/decoupled/);
  });

  it('allow sequences', () => {
    expect(readScriptSettings(model({ sequence_batching: {} })).problems).toEqual([]);
  });

  it('allow shapes that the model sees otherwise, and ragged ones', () => {
    const input = [{ ...TENSORS.input[0]!, allow_ragged_batch: true, reshape: { shape: [1, 1] } }];

    expect(readScriptSettings(model({ input })).problems).toEqual([]);
  });

  it.each<[string, ModelConfigMessage]>([
    ['input', { input: [] }],
    ['parameters["max_heap_mb"]', { parameters: { max_heap_mb: { string_value: '0' } } }],
    ['parameters["max_heap_mb"]', { parameters: { max_heap_mb: { string_value: '1.5' } } }],
    ['default_model_filename', { default_model_filename: 'model.py' }],
    ['sequence_batching.state', { sequence_batching: { state: [{ input_name: 's' }] } }],
    ['sequence_batching', { sequence_batching: {}, model_transaction_policy: { decoupled: true } }],
    ['batch_input', { batch_input: [{}] }],
    ['instance_group[0].kind', { instance_group: [{ kind: 'KIND_GPU' }] }],
    [
      'response_cache',
      { response_cache: { enable: true }, model_transaction_policy: { decoupled: true } },
    ],
  ])('refuse what cannot be: %s', (path, more) => {
    expect(readScriptSettings(model(more)).problems.map((problem) => problem.path)).toEqual([path]);
  });
});

describe('the file of a model in TypeScript', () => {
  it.each([
    [[], 'model.ts'],
    [['model.js', 'words.json'], 'model.js'],
    [['model.js', 'model.ts'], 'model.ts'],
  ])('of %j is %s', (firstVersionFiles, expected) => {
    const facts = { name: 'm', firstVersionFiles, hasGpu: true };

    const message = completeModelConfig({ backend: 'typescript' }, facts);

    expect(message.default_model_filename).toBe(expected);
    expect(message.instance_group).toMatchObject([{ kind: 'KIND_CPU', count: 1 }]);
  });
});
