import { describe, expect, it } from 'vitest';
import { readBackendConfig } from './backend-config.js';

describe('readBackendConfig', () => {
  it('has a default', () => {
    expect(readBackendConfig([])).toEqual({ defaultMaxBatchSize: 4, warnings: [] });
  });

  it('takes the batch size for the backend there is, or for all of them, the last one given', () => {
    const settings = ['onnxruntime,default-max-batch-size=7', ',default-max-batch-size=9'];

    expect(readBackendConfig(settings)).toEqual({ defaultMaxBatchSize: 9, warnings: [] });
  });

  it('refuses a size that is no number', () => {
    expect(() => readBackendConfig(['onnxruntime,default-max-batch-size=many'])).toThrow(
      "--backend-config: default-max-batch-size takes a whole number, got 'many'",
    );
  });

  it.each(['onnxruntime,defaultmaxbatchsize=3', 'tensorflow,version=2', 'nonsense'])(
    'warns of %s',
    (setting) => {
      expect(readBackendConfig([setting]).warnings).toEqual([
        `--backend-config=${setting} has no effect: only onnxruntime,default-max-batch-size=N is known`,
      ]);
    },
  );
});
