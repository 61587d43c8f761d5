import type { InferOptions as ClientOptions, Inputs } from 'inferd-client';
import { describe, expect, it } from 'vitest';
import {
  decodeInferResponse,
  encodeInferRequest,
} from '../../clients/typescript/src/infer-message.js';
import { RuntimeError } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import { aTensor, lengthPrefixed, rawTensor } from '../testing/build.js';
import { inferResultOf, wireRequestOf } from './in-process-request.js';
import { completeInferRequest, readInferRequest } from './infer-request-decoder.js';
import { encodeInferResponse } from './infer-response-encoder.js';

const REQUESTS: readonly (readonly [string, Inputs, ClientOptions])[] = [
  ['no inputs', {}, {}],
  ['a typed array with a shape', { x: { shape: [1, 2], data: Float32Array.of(1, 2) } }, {}],
  ['bigints and booleans', { x: [1n, -2n], y: [[true], [false]] }, { id: 'r1', version: 3 }],
  ['texts and bytes', { x: [['é', Uint8Array.of(1, 2)]] }, { outputs: ['a', 'b'] }],
  ['half floats', { x: { datatype: 'FP16', data: [[1, 0.5]] } }, { classification: { a: 2 } }],
  ['an output twice', { x: 'text' }, { outputs: ['a', 'b'], classification: { a: 1 } }],
  [
    'parameters of all kinds',
    { x: 'text' },
    {
      parameters: {
        ...{ sequence_id: 7, sequence_start: true, priority: 2, timeout: 1500 },
        ...{ big: 2n ** 62n, text: 'x', half: 0.5 },
      },
    },
  ],
];

describe('the arguments of a call', () => {
  it.each(REQUESTS)('are the request that the client would send: %s', (_what, inputs, options) => {
    const message = encodeInferRequest('m', inputs, options);

    expect(completeInferRequest(wireRequestOf({ model: 'm', inputs, options }))).toEqual(
      completeInferRequest(readInferRequest(message)),
    );
  });

  it('name the same version as the client would', () => {
    expect(wireRequestOf({ model: 'm', inputs: {}, options: { version: 3 } })).toMatchObject({
      modelName: 'm',
      modelVersion: '3',
    });
  });

  it('are not copied if they are typed arrays', () => {
    const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3);

    const { raw } = wireRequestOf({ model: 'm', inputs: { x: data }, options: {} });

    expect(raw[0]!.buffer).toBe(data.buffer);
    expect(raw[0]!.byteOffset).toBe(4);
    expect(raw[0]!.byteLength).toBe(8);
  });

  it('have the shape that is known of the model', () => {
    const signatures = { x: { datatype: 'FP32', shape: [-1, 2] } } as const;
    const options = { signatures };

    const { inputs } = wireRequestOf({ model: 'm', inputs: { x: [1, 2, 3, 4] }, options });

    expect(inputs).toMatchObject([{ name: 'x', dataType: 'FP32', shape: [2, 2] }]);
  });

  it.each([
    [{ x: [1, 2] }, {}, /^input 'x': a list of numbers needs a datatype/],
    [undefined, {}, /^inputs of model 'm' are an object of tensors by name, got undefined$/],
    [{}, { parameters: { a: {} } }, /^parameter 'a' is a boolean, a number, .* got \[object/],
    [{}, { parameters: { a: 2n ** 64n } }, /^parameter 'a' is .* of 64 bits/],
  ])('%j with %o are refused', (inputs, options, text) => {
    const asked = { model: 'm', inputs, options } as Parameters<typeof wireRequestOf>[0];

    expect(() => wireRequestOf(asked)).toThrow(RuntimeError);
    expect(() => wireRequestOf(asked)).toThrow(text);
  });
});

describe('an answer', () => {
  const response: InferenceResponse = {
    modelName: 'm',
    modelVersion: '2',
    outputs: [
      aTensor('a', [1, 2], [1, 2]),
      rawTensor('b', 'BYTES', { shape: [2], data: lengthPrefixed(['é', '']) }),
      rawTensor('c', 'INT64', { shape: [1], data: new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]) }),
    ],
    parameters: new Map<string, boolean | number | string>([
      ['flag', true],
      ['count', 3],
      ['part', 0.5],
      ['text', 'x'],
    ]),
  };

  it('is what the client would make of the message', () => {
    const message = encodeInferResponse(response, 'r1');

    expect(inferResultOf(response, 'r1')).toEqual(decodeInferResponse(message, 'in-process'));
  });

  it("is the caller's own: to change it changes nothing else", () => {
    const result = inferResultOf(response, 'r1');
    const { a } = result.outputs;
    if (a?.datatype !== 'FP32') throw new Error('it has another type');

    a.data.fill(9);

    expect(a.data.buffer.byteLength).toBe(8);
    expect(inferResultOf(response, 'r1').outputs['a']!.data).toEqual(Float32Array.of(1, 2));
  });
});
