import fc from 'fast-check';
import protobuf from 'protobufjs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import type { InferenceRequest } from '../core/inference.js';
import { completeInferRequest, readInferRequest } from './infer-request-decoder.js';

const root = new protobuf.Root();
root.resolvePath = (_origin, target) =>
  fileURLToPath(new URL(`../../proto/${target}`, import.meta.url));
root.loadSync('grpc_service.proto', { keepCase: true });
const ModelInferRequest = root.lookupType('inference.ModelInferRequest');

function encode(message: Record<string, unknown>): Buffer {
  return Buffer.from(ModelInferRequest.encode(ModelInferRequest.fromObject(message)).finish());
}

function decodeBytes(bytes: Buffer): InferenceRequest {
  return completeInferRequest(readInferRequest(bytes)).request;
}

function decode(message: Record<string, unknown>): InferenceRequest {
  return decodeBytes(encode({ model_name: 'm', ...message }));
}

/** What is wrong with a message that can be read. */
function defectOf(message: Record<string, unknown>): string {
  const wire = readInferRequest(encode({ model_name: 'm', ...message }));
  try {
    completeInferRequest(wire);
  } catch (error) {
    return RuntimeError.from(error).message;
  }
  throw new Error('nothing is wrong with it');
}

function floats(...values: number[]): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}

function anInput(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return { name: 'x', datatype: 'FP32', shape: [1, 2], ...overrides };
}

const REGION = {
  shared_memory_region: { string_param: 'r' },
  shared_memory_byte_size: { int64_param: 8 },
};

/** An input with a shape of so many ones. */
function sizes(count: number): Buffer {
  const shape = protobuf.Writer.create().uint32(0x1a).bytes(Buffer.alloc(count, 1)).finish();
  return Buffer.from(protobuf.Writer.create().uint32(0x2a).bytes(shape).finish());
}

describe('the decoder of requests', () => {
  it('reads every part of a request', () => {
    const message = {
      model_name: 'm',
      model_version: '3',
      id: 'ü 世',
      inputs: [anInput(), anInput({ name: 'y', datatype: 'INT64', shape: [2 ** 40, -1] })],
      outputs: [{ name: 'a' }, { name: 'b', parameters: { classification: { int64_param: 2 } } }],
      raw_input_contents: [floats(1, 2), Buffer.alloc(8)],
    };

    const wire = readInferRequest(encode(message));
    const { request } = completeInferRequest(wire);

    expect(wire).toMatchObject({ modelName: 'm', modelVersion: '3', id: 'ü 世' });
    expect(request).toMatchObject({ modelName: 'm', id: 'ü 世' });
    expect(request.inputs.map(({ name, dataType, shape }) => [name, dataType, shape])).toEqual([
      ['x', 'FP32', [1, 2]],
      ['y', 'INT64', [2 ** 40, -1]],
    ]);
    expect(request.outputs).toEqual([
      { name: 'a', classCount: 0 },
      { name: 'b', classCount: 2 },
    ]);
  });

  it('does not copy tensor data', () => {
    const bytes = encode({ inputs: [anInput()], raw_input_contents: [floats(1, 2)] });

    const { data } = decodeBytes(bytes).inputs[0]!;

    expect(data.buffer).toBe(bytes.buffer);
  });

  it('takes shapes packed and one by one', () => {
    const packed = decode({ inputs: [anInput()], raw_input_contents: [floats(1, 2)] });
    // InferInputTensor { shape: 1, shape: 2 } as two fields of wire type 0, within field 5 of the request.
    const single = decodeBytes(
      Buffer.from([
        0x2a, 0x0d, 0x0a, 1, 0x78, 0x12, 4, 0x46, 0x50, 0x33, 0x32, 0x18, 1, 0x18, 2, 0x3a, 0,
      ]),
    );

    expect(single.inputs[0]!.shape).toEqual(packed.inputs[0]!.shape);
  });

  it('passes over fields it does not know', () => {
    const bytes = Buffer.concat([
      Buffer.from([0xf8, 0x07, 5]),
      Buffer.from([0xf9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8]),
      Buffer.from([0xfa, 0x07, 2, 0, 0]),
      Buffer.from([0xfd, 0x07, 1, 2, 3, 4]),
      encode({ model_name: 'm' }),
    ]);

    expect(decodeBytes(bytes).modelName).toBe('m');
  });

  it.each([
    ['BOOL', { bool_contents: [true, false] }, Buffer.of(1, 0)],
    ['INT8', { int_contents: [300, -129] }, Buffer.of(44, 127)],
    ['INT16', { int_contents: [70000, -1] }, Buffer.of(0x70, 0x11, 0xff, 0xff)],
    ['INT32', { int_contents: [-2, 7] }, Buffer.from(Int32Array.of(-2, 7).buffer)],
    [
      'INT64',
      { int64_contents: ['-9223372036854775808', 1] },
      Buffer.from(BigInt64Array.of(-(2n ** 63n), 1n).buffer),
    ],
    ['UINT8', { uint_contents: [256, 511] }, Buffer.of(0, 255)],
    ['UINT16', { uint_contents: [65537, 2] }, Buffer.of(1, 0, 2, 0)],
    [
      'UINT32',
      { uint_contents: [4294967295, 2] },
      Buffer.from(Uint32Array.of(4294967295, 2).buffer),
    ],
    [
      'UINT64',
      { uint64_contents: ['18446744073709551615', 0] },
      Buffer.from(BigUint64Array.of(2n ** 64n - 1n, 0n).buffer),
    ],
    ['FP32', { fp32_contents: [1.5, -2] }, floats(1.5, -2)],
    ['FP64', { fp64_contents: [0.1, 2] }, Buffer.from(Float64Array.of(0.1, 2).buffer)],
    [
      'BYTES',
      { bytes_contents: [Buffer.from('ab'), Buffer.of(0)] },
      Buffer.of(2, 0, 0, 0, 97, 98, 1, 0, 0, 0, 0),
    ],
  ])('turns typed contents of %s into raw bytes', (datatype, contents, expected) => {
    const request = decode({ inputs: [anInput({ datatype, contents })] });

    expect(Buffer.from(request.inputs[0]!.data)).toEqual(expected);
  });

  it('takes typed contents that come one by one', () => {
    // InferTensorContents { fp32_contents: 1 } twice, not packed.
    const contents = Buffer.concat([Buffer.of(0x35), floats(1), Buffer.of(0x35), floats(2)]);
    const input = Buffer.concat([
      Buffer.from([0x0a, 1, 0x78, 0x12, 4]),
      Buffer.from('FP32'),
      Buffer.of(0x2a, contents.length),
      contents,
    ]);

    const request = decodeBytes(Buffer.concat([Buffer.of(0x2a, input.length), input]));

    expect(Buffer.from(request.inputs[0]!.data)).toEqual(floats(1, 2));
  });

  it.each([
    [
      'FP32 in int_contents',
      anInput({ contents: { int_contents: [1, 2] } }),
      "unexpected explicit tensor data for input tensor 'x' for model 'm' of type 'INT32', expected datatype 'FP32'",
    ],
    [
      'FP16 in any list',
      anInput({ datatype: 'FP16', contents: { fp32_contents: [1] } }),
      "unexpected explicit tensor data for input tensor 'x' for model 'm' of type 'FP32', expected datatype 'FP16'",
    ],
    [
      'two lists',
      anInput({ contents: { fp32_contents: [1], fp64_contents: [1] } }),
      "unexpected explicit tensor data for input tensor 'x' for model 'm', binary data was already supplied.",
    ],
  ])('finds %s', (_what, input, text) => {
    expect(defectOf({ inputs: [input] })).toBe(text);
  });

  it.each([
    [
      'contents beside raw bytes',
      {
        inputs: [anInput({ contents: { fp32_contents: [1, 2] } })],
        raw_input_contents: [floats(1, 2)],
      },
      "contents field must not be specified when using raw_input_contents for 'x' for model 'm'",
    ],
    [
      'an input without data',
      { inputs: [anInput(), anInput({ name: 'y' })], raw_input_contents: [floats(1, 2)] },
      "unable to find data for input tensor 'y' for model 'm' in request.",
    ],
    [
      'more data than inputs',
      { inputs: [anInput()], raw_input_contents: [floats(1, 2), floats(3, 4)] },
      "expected 1 raw_input_contents for the inputs of model 'm', got 2",
    ],
    [
      'an input that comes twice',
      { id: '7', inputs: [anInput(), anInput()], raw_input_contents: [floats(1, 2), floats(1, 2)] },
      "[request id: 7] input 'x' already exists in request",
    ],
    [
      'an output that comes twice',
      { outputs: [{ name: 'y' }, { name: 'z' }, { name: 'y' }] },
      "[request id: <id_unknown>] output 'y' already exists in request",
    ],
    [
      'a number of classes that is none',
      { outputs: [{ name: 'y', parameters: { classification: { int64_param: 0 } } }] },
      "invalid value for 'classification' parameter, expected >= 0",
    ],
    [
      'a number of classes of another type',
      { outputs: [{ name: 'y', parameters: { classification: { string_param: '1' } } }] },
      "invalid value type for 'classification' parameter, expected int64_param.",
    ],
    [
      'shared memory, of which there is none',
      { inputs: [anInput({ parameters: REGION })] },
      "Unable to find shared memory region: 'r'",
    ],
  ])('finds %s', (_what, message, text) => {
    expect(defectOf(message)).toBe(text);
  });

  it('reads the parameters that mean something to the server', () => {
    const request = decode({
      parameters: {
        sequence_id: { int64_param: 5 },
        sequence_start: { bool_param: true },
        priority: { uint64_param: 2 },
        timeout: { int64_param: 2500 },
        triton_enable_empty_final_response: { bool_param: true },
        mine: { double_param: 0.5 },
        big: { int64_param: '9223372036854775807' },
      },
    });

    expect(request.parameters).toEqual({
      sequenceId: 5,
      sequenceStart: true,
      sequenceEnd: false,
      priority: 2,
      timeoutMs: 2.5,
      enableEmptyFinalResponse: true,
      custom: new Map<string, unknown>([
        ['mine', 0.5],
        ['big', 9223372036854775807n],
      ]),
    });
  });

  it.each([
    [
      'sequence_id',
      { bool_param: true },
      "invalid value type for 'sequence_id' parameter, expected int64_param or string_param.",
    ],
    [
      'sequence_end',
      { int64_param: 1 },
      "invalid value type for 'sequence_end' parameter, expected bool_param.",
    ],
    ['priority', { int64_param: -1 }, "invalid value for 'priority', expected value >= 0."],
    [
      'priority',
      { string_param: '1' },
      "invalid value type for 'priority' parameter, expected int64_param or uint64_param.",
    ],
    [
      'timeout',
      { uint64_param: 1 },
      "invalid value type for 'timeout' parameter, expected int64_param.",
    ],
    [
      'u',
      { uint64_param: 5 },
      "invalid value type for 'u' parameter, expected int64_param, bool_param, or string_param.",
    ],
    [
      'n',
      {},
      "invalid value type for 'n' parameter, expected int64_param, bool_param, or string_param.",
    ],
    [
      'triton_mine',
      { bool_param: true },
      "parameter keys starting with 'triton_' are reserved for Triton usage. Only the following keys starting with 'triton_' are allowed: triton_enable_empty_final_response",
    ],
  ])('finds what is wrong with the parameter %s: %j', (key, value, text) => {
    expect(defectOf({ parameters: { [key]: value } })).toBe(text);
  });

  it('says where a message stops being one', () => {
    const bytes = encode({ model_name: 'm', raw_input_contents: [Buffer.alloc(100)] }).subarray(
      0,
      50,
    );

    expect(() => decodeBytes(bytes)).toThrow(
      new RuntimeError(
        'INVALID_ARGUMENT',
        'request is not a valid protobuf message: message ends, 100 bytes were announced at byte 5',
      ),
    );
  });

  it('throws nothing but refusals, whatever the bytes', () => {
    const good = encode({
      model_name: 'm',
      parameters: { a: { int64_param: 5 } },
      inputs: [anInput({ contents: { int64_contents: [1, -1] } }), anInput({ name: 'y' })],
      raw_input_contents: [floats(1, 2)],
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 5 }),
        fc.nat(good.length),
        (changes, length) => {
          const bytes = Buffer.from(good.subarray(0, length));
          for (const [at, value] of changes) if (at < length) bytes[at] = value;
          try {
            decodeBytes(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(RuntimeError);
            // No region is registered, and an id of a sequence may become too long.
            expect(['INVALID_ARGUMENT', 'NOT_FOUND', 'UNSUPPORTED']).toContain(
              (error as RuntimeError).code,
            );
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('reads what protobufjs writes', () => {
    const tensor = fc.record({
      name: fc.string({ minLength: 1 }),
      datatype: fc.constantFrom('FP32', 'INT8', 'BYTES', 'nonsense'),
      shape: fc.array(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 4 }),
        fc.string(),
        (inputs, id) => {
          const raw = inputs.map((_, i) => Buffer.alloc(i * 3, i));

          const request = decode({ id, inputs, raw_input_contents: raw });

          expect(request.id).toBe(id);
          expect(request.inputs.map(({ name, shape }) => ({ name, shape }))).toEqual(
            inputs.map(({ name, shape }) => ({ name, shape })),
          );
          expect(request.inputs.map(({ data }) => Buffer.from(data))).toEqual(raw);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ['inputs', Buffer.of(0x2a, 0)],
    ['raw contents', Buffer.of(0x3a, 0)],
    ['parameters', Buffer.of(0x22, 0)],
    ['sizes of a shape', sizes(70_000)],
  ])('refuses a message that is made of ever so many %s', (_what, field) => {
    const message = Buffer.concat(
      Array.from({ length: 70_000 }, () => field).slice(0, field.length > 2 ? 1 : undefined),
    );

    expect(() => decodeBytes(message)).toThrow('request is too large: it has more than 65536');
  });
});
