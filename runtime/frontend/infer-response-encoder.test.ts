import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InferenceResponse } from '../core/inference.js';
import { rawTensor } from '../testing/build.js';
import {
  encodeInferResponse,
  encodeStreamError,
  encodeStreamResponse,
} from './infer-response-encoder.js';
import { messageCodec } from './message-codec.js';

const codec = messageCodec('inference.ModelInferResponse');
const streamCodec = messageCodec('inference.ModelStreamInferResponse');

describe('encodeInferResponse', () => {
  it('writes what protobufjs reads', () => {
    const size = fc.oneof(fc.nat(300), fc.nat(2 ** 40), fc.constant(-1));
    const tensor = fc.record({
      name: fc.string({ unit: 'binary' }),
      dataType: fc.constantFrom('FP32' as const, 'BYTES' as const),
      shape: fc.array(size, { maxLength: 5 }),
      data: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(
        fc.array(tensor, { maxLength: 4 }),
        fc.string(),
        fc.string(),
        (outputs, id, modelName) => {
          const response: InferenceResponse = { modelName, modelVersion: '12', outputs };

          const message = codec.decode(encodeInferResponse(response, id));

          expect(message).toMatchObject({ model_name: modelName, model_version: '12', id });
          expect(message['outputs']).toMatchObject(
            outputs.map(({ name, dataType, shape }) => ({ name, datatype: dataType, shape })),
          );
          expect((message['raw_output_contents'] as Buffer[]).map((raw) => [...raw])).toEqual(
            outputs.map(({ data }) => [...data]),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('writes parameters that protobufjs reads', () => {
    const value = fc.oneof(
      fc.boolean(),
      fc.string({ unit: 'binary' }),
      fc.maxSafeInteger(),
      fc.double({ noInteger: true, noNaN: true, noDefaultInfinity: true }),
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ minLength: 1 }), value, { noNullPrototype: true }),
        (values) => {
          const parameters = new Map(Object.entries(values));
          const response = { modelName: 'm', modelVersion: '1', outputs: [], parameters };

          const message = codec.decode(encodeInferResponse(response, 'id'));

          const read = Object.entries(
            message['parameters'] as Record<string, Record<string, unknown>>,
          );
          expect(
            new Map(
              read.map(([key, parameter]) => [
                key,
                parameter[parameter['parameter_choice'] as string],
              ]),
            ),
          ).toEqual(parameters);
          expect(message['id']).toBe('id');
        },
      ),
      { numRuns: 300 },
    );
  });

  it('refuses a response that gRPC cannot carry', () => {
    // The same gigabyte three times: no such memory is ever copied.
    const data = { length: 2 ** 30, byteLength: 2 ** 30 } as Uint8Array;
    const outputs = ['a', 'b', 'c'].map((name) =>
      rawTensor(name, 'UINT8', { shape: [2 ** 30], data }),
    );

    expect(() => encodeInferResponse({ modelName: 'm', modelVersion: '1', outputs }, '')).toThrow(
      /^Response has byte size 32212255\d\d which exceeds gRPC's byte size limit 2147483647\.$/,
    );
  });
});

describe('encodeStreamResponse', () => {
  it('wraps what stands in a response by itself, and says whether it is the last', () => {
    const data = new Uint8Array(200);
    const outputs = [rawTensor('y', 'UINT8', { shape: [200], data })];
    const parameters = new Map([['queue_us', 5]]);
    const response = { modelName: 'm', modelVersion: '1', outputs, parameters };

    for (const isFinal of [true, false]) {
      const message = streamCodec.decode(encodeStreamResponse(response, { id: 'r', isFinal }));

      const { parameters: told, ...alone } = codec.decode(encodeInferResponse(response, 'r'));
      expect(message).toMatchObject({ error_message: '', infer_response: alone });
      expect(message['infer_response']).toMatchObject({
        parameters: {
          ...(told as Record<string, unknown>),
          triton_final_response: { bool_param: isFinal },
        },
      });
    }
  });
});

describe('encodeStreamError', () => {
  it.each(['', 'r1', 'ü'.repeat(100)])('says what went wrong, and with the request %j', (id) => {
    const message = streamCodec.decode(encodeStreamError('geht nicht: ü\n', { id }));

    expect(message).toMatchObject({ error_message: 'geht nicht: ü\n', infer_response: { id } });
  });

  it('says the status where it is asked for, and otherwise has no parameters', () => {
    const told = [undefined, 5].map((status) =>
      streamCodec.decode(encodeStreamError('no', { id: 'r', status })),
    );

    expect(told.map(({ infer_response: response }) => response)).toMatchObject([
      { id: 'r', parameters: {} },
      { id: 'r', parameters: { inferd_error_status: { int64_param: 5 } } },
    ]);
  });
});
