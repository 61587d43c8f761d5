import { describe, expect, it } from 'vitest';
import { completeModelConfig, type ModelDirectoryFacts } from './complete-model-config.js';
import type { ModelConfigMessage } from './model-config-message.js';
import { parseModelConfig } from './parse-model-config.js';

function complete(text: string, facts: Partial<ModelDirectoryFacts> = {}): ModelConfigMessage {
  const { message } = parseModelConfig(text);
  return completeModelConfig(message, {
    name: 'm',
    firstVersionFiles: ['model.onnx'],
    hasGpu: false,
    ...facts,
  });
}

describe('completeModelConfig', () => {
  it('makes an ONNX model with two CPU instances out of an empty configuration', () => {
    expect(complete('')).toEqual({
      name: 'm',
      backend: 'onnxruntime',
      platform: 'onnxruntime_onnx',
      default_model_filename: 'model.onnx',
      version_policy: { latest: { num_versions: 1 } },
      optimization: {
        input_pinned_memory: { enable: true },
        output_pinned_memory: { enable: true },
      },
      instance_group: [{ name: 'm', kind: 'KIND_CPU', count: 2 }],
    });
  });

  it.each([
    ['backend: "onnxruntime"', []],
    ['platform: "onnxruntime_onnx"', []],
    ['default_model_filename: "model.onnx"', []],
    ['', ['model.onnx', 'weights']],
  ])('takes %j beside the files %j for an ONNX model', (text, firstVersionFiles) => {
    expect(complete(text, { firstVersionFiles })).toMatchObject({
      backend: 'onnxruntime',
      platform: 'onnxruntime_onnx',
      default_model_filename: 'model.onnx',
    });
  });

  it('guesses nothing where there is no model.onnx, or another backend is named', () => {
    expect(complete('', { firstVersionFiles: ['readme.txt'] })['backend']).toBeUndefined();
    expect(complete('backend: "typescript"')['platform']).toBeUndefined();
    expect(complete('platform: "ensemble" ensemble_scheduling { }')['backend']).toBeUndefined();
  });

  it('numbers the groups that are written, and keeps their counts', () => {
    const { instance_group: groups } = complete(
      'instance_group [ { count: 3 }, { name: "fast" kind: KIND_CPU } ]',
    );

    expect(groups).toEqual([
      { name: 'm_0', kind: 'KIND_CPU', count: 3 },
      { name: 'fast', kind: 'KIND_CPU', count: 2 },
    ]);
  });

  it('gives KIND_AUTO the GPU where there is one', () => {
    expect(complete('', { hasGpu: true }).instance_group).toEqual([
      { name: 'm', kind: 'KIND_GPU', count: 1, gpus: [0] },
    ]);
  });

  it('prefers the largest batch where dynamic batching names no size', () => {
    expect(complete('max_batch_size: 8 dynamic_batching { }').dynamic_batching).toEqual({
      preferred_batch_size: [8],
    });
    expect(complete('dynamic_batching { }').dynamic_batching).toEqual({});
  });

  it('is done after one go', () => {
    const once = complete('max_batch_size: 4 dynamic_batching { } instance_group { }');

    expect(completeModelConfig(once, { name: 'm', firstVersionFiles: [], hasGpu: false })).toEqual(
      once,
    );
  });
});
