import { describe, expect, it } from 'vitest';
import { completeFromModel } from './complete-from-model.js';
import { completeModelConfig, normalizeModelConfig } from './complete-model-config.js';
import { configOrigins, type ConfigOrigin } from './config-origins.js';
import { parseModelConfig } from './parse-model-config.js';

const FACTS = { name: 'm', firstVersionFiles: ['model.onnx'], hasGpu: false };
const MODEL = {
  inputs: [{ name: 'x', dataType: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', dataType: 'FP32', shape: [-1, 3] }],
} as const;

/** The stages of a load. */
function originsOf(text: string, by: ConfigOrigin = 'file'): Record<string, ConfigOrigin> {
  const written = parseModelConfig(text).message;
  const completed = completeModelConfig(written, FACTS);
  const fromModel = completeFromModel(completed, MODEL, { defaultMaxBatchSize: 4 });
  return Object.fromEntries(
    configOrigins([
      { message: written, origin: by },
      { message: completed, origin: 'default' },
      { message: fromModel, origin: 'model' },
      { message: normalizeModelConfig(fromModel, FACTS), origin: 'default' },
    ]),
  );
}

describe('configOrigins', () => {
  it('tells what is written from what is found out and what nobody said', () => {
    expect(originsOf('max_batch_size: 8 instance_group { count: 3 }')).toMatchObject({
      max_batch_size: 'file',
      name: 'default',
      backend: 'default',
      'input[0].name': 'model',
      'input[0].dims': 'model',
      'instance_group[0].count': 'file',
      'instance_group[0].name': 'default',
      'dynamic_batching.preferred_batch_size': 'default',
    });
  });

  it('has the batch size from the model when nothing is written', () => {
    expect(originsOf('')).toMatchObject({ max_batch_size: 'model', name: 'default' });
  });

  it('names the load call where it brought the configuration', () => {
    expect(originsOf('max_batch_size: 0', 'load call')).toMatchObject({
      max_batch_size: 'load call',
      'output[0].name': 'model',
    });
  });

  it('takes a value that was replaced for what replaced it', () => {
    expect(originsOf('instance_group { kind: KIND_AUTO }')).toMatchObject({
      'instance_group[0].kind': 'default',
    });
  });

  it('has an origin for every value in force, and for nothing else', () => {
    expect(configOrigins([])).toEqual(new Map());
    expect(
      configOrigins([
        { message: { name: 'gone' }, origin: 'file' },
        { message: { backend: 'b' }, origin: 'default' },
      ]),
    ).toEqual(new Map([['backend', 'default']]));
  });
});
