import { describe, expect, it } from 'vitest';
import { readWarmUp } from '../config/warm-up-config.js';
import { aBatchedConfig } from '../testing/build.js';
import { fedConfig } from './sequence-feed.js';
import { warmUpBatches } from './warm-up.js';

const SEQUENCES = `sequence_batching {
  control_input { name: "START" control { int32_false_true: [ 0, 1 ] } }
  state { input_name: "IN" output_name: "OUT" data_type: TYPE_FP32 dims: [ -1 ] }
  state { input_name: "IN2" output_name: "OUTPUT0" data_type: TYPE_FP32 dims: [ 2 ] } }`;

describe('fedConfig', () => {
  it('is the configuration itself for a model without sequences', () => {
    const config = aBatchedConfig();

    expect(fedConfig(config)).toBe(config);
  });

  it('has controls and states behind the tensors of users, each once', () => {
    const fed = fedConfig(aBatchedConfig(SEQUENCES));

    expect(fed.inputs.map(({ name }) => name)).toEqual(['INPUT0', 'START', 'IN', 'IN2']);
    expect(fed.outputs.map(({ name }) => name)).toEqual(['OUTPUT0', 'OUT']);
  });

  it('is warmed up with zeros for what is added', async () => {
    const fed = fedConfig(
      aBatchedConfig(`${SEQUENCES} model_warmup { name: "w" batch_size: 2
        inputs { key: "INPUT0" value { data_type: TYPE_FP32 dims: [ 2 ] random_data: true } } }`),
    );

    const { samples, problems } = readWarmUp(fed);
    const [batch] = await warmUpBatches(fed, samples, () => Promise.reject(new Error('no file')));
    const { tensors, buffer } = batch!.feed();

    expect(problems).toEqual([]);
    expect(tensors.map(({ shape }) => shape)).toEqual([
      ...[
        [2, 2],
        [2, 1],
        [2, 1],
        [2, 2],
      ],
    ]);
    expect(new Uint8Array(buffer, tensors[1]!.byteOffset, 8)).toEqual(new Uint8Array(8));
  });
});
