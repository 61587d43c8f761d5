import { describe, expect, it } from 'vitest';
import { receivedConfig } from './received-config.js';

describe('receivedConfig', () => {
  it('has the names of the .proto and only what was sent', () => {
    const received = {
      name: 'm',
      maxBatchSize: 4,
      backend: '',
      input: [{ name: 'x', dataType: 'TYPE_FP32', dims: [64], optional: false, reshape: null }],
      output: [],
      versionPolicy: { latest: { numVersions: 1 } },
      dynamicBatching: { preferredBatchSize: [], priorityLevels: 0, defaultQueuePolicy: null },
      instanceGroup: [{ kind: 'KIND_AUTO', gpus: [0], count: 0 }],
      parameters: { k: { stringValue: 'v' } },
      metricTags: {},
    };

    expect(receivedConfig(received)).toEqual({
      name: 'm',
      max_batch_size: 4,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [64] }],
      version_policy: { latest: { num_versions: 1 } },
      dynamic_batching: {},
      instance_group: [{ gpus: [0] }],
      parameters: { k: { string_value: 'v' } },
    });
  });

  it('says that nothing is batched, which the wire leaves out', () => {
    expect(receivedConfig({ name: 'm', maxBatchSize: 0 })).toEqual({
      name: 'm',
      max_batch_size: 0,
    });
  });
});
