// The JSON mapping, against messages put together by hand.

import { describe, expect, it } from 'vitest';
import { decodeJson, encodeJson, loadProto } from './message-json.js';

const ROOT = loadProto();
const type = (name: string) => ROOT.lookupType(`inference.${name}`);

describe('decodeJson', () => {
  it('leaves out defaults that were sent, keeps those of a oneof', () => {
    expect(decodeJson(type('ModelReadyResponse'), Buffer.from([0x08, 0x00]))).toEqual({});
    expect(decodeJson(type('InferParameter'), Buffer.from([0x08, 0x00]))).toEqual({
      bool_param: false,
    });
    expect(decodeJson(type('ModelInput'), Buffer.from([0x18, 0x00]))).toEqual({});
  });

  it('keeps messages that are empty', () => {
    expect(decodeJson(type('InferStatistics'), Buffer.from([0x12, 0x00]))).toEqual({ fail: {} });
  });

  it('writes 64-bit integers as text and enum values by name', () => {
    const statistics = {
      last_inference: '18446744073709551615',
      inference_count: '9007199254740993',
    };
    const input = {
      data_type: 'TYPE_FP32',
      dims: ['-1', '9223372036854775807'],
      format: 'FORMAT_NCHW',
    };

    expect(roundTrip('ModelStatistics', statistics)).toEqual(statistics);
    expect(roundTrip('ModelInput', input)).toEqual(input);
  });

  it('writes a float as the shortest number, NaN and the infinities as text', () => {
    const contents = {
      fp32_contents: [0.1, 3e38, 1.1754944e-38, -2.25, 'NaN', '-Infinity'],
      fp64_contents: [0.1],
    };
    const direct = { minimum_slot_utilization: 0.7 };

    expect(roundTrip('InferTensorContents', contents)).toEqual(contents);
    expect(roundTrip('ModelSequenceBatching.StrategyDirect', direct)).toEqual(direct);
  });

  it('writes bytes in base64 and keys of maps as text', () => {
    const request = { model_name: 'm', raw_input_contents: ['AAH/', ''] };
    const batching = {
      priority_queue_policy: { '18446744073709551615': { max_queue_size: 3 }, '1': {} },
    };

    expect(roundTrip('ModelInferRequest', request)).toEqual(request);
    expect(roundTrip('ModelDynamicBatching', batching)).toEqual(batching);
  });
});

describe('encodeJson', () => {
  it('refuses a field that does not exist, at any depth', () => {
    const request = { inputs: [{ parameters: { a: { int_param: '1' } } }] };

    expect(() => encodeJson(type('ModelInferRequest'), { modelname: 'm' })).toThrow(
      'no field modelname',
    );
    expect(() => encodeJson(type('ModelInferRequest'), request)).toThrow('no field int_param');
  });
});

function roundTrip(name: string, json: Parameters<typeof encodeJson>[1]): unknown {
  return decodeJson(type(name), encodeJson(type(name), json));
}
