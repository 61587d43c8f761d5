import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import type { DataType } from '../core/data-type.js';
import type { RuntimeError } from '../core/errors.js';
import { lengthPrefixed } from '../testing/build.js';
import { messageCodec, type Message } from '../frontend/message-codec.js';
import { readContents } from './tensor-contents.js';
import { WireReader } from './wire-reader.js';

const codec = messageCodec('inference.InferTensorContents');

function read(dataType: DataType, ...messages: (Message | Buffer)[]): Buffer {
  const parts = messages.map((part) => (Buffer.isBuffer(part) ? part : codec.encode(part)));
  return readContents(new WireReader(Buffer.concat(parts)), { name: 'x', dataType, model: 'm' });
}

function refusal(dataType: DataType, ...messages: (Message | Buffer)[]): string {
  try {
    read(dataType, ...messages);
  } catch (error) {
    expect((error as RuntimeError).code).toBe('INVALID_ARGUMENT');
    return (error as RuntimeError).message;
  }
  throw new Error('nothing was refused');
}

const BAD = "unexpected explicit tensor data for input tensor 'x' for model 'm'";

const int32 = fc.integer();
const uint32 = fc.nat(2 ** 32 - 1);
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const text = (values: readonly bigint[]): string[] => values.map(String);
const same = <T>(values: T): T => values;

/** For each type: its list, any values of that list, how protobufjs wants them, and the raw form. */
const TYPES: readonly [
  DataType,
  string,
  fc.Arbitrary<unknown>,
  (values: never) => unknown,
  (values: never) => ArrayBufferLike,
][] = [
  ['INT8', 'int_contents', int32, same, (v: number[]) => Int8Array.from(v).buffer],
  ['INT16', 'int_contents', int32, same, (v: number[]) => Int16Array.from(v).buffer],
  ['INT32', 'int_contents', int32, same, (v: number[]) => Int32Array.from(v).buffer],
  ['INT64', 'int64_contents', int64, text, (v: bigint[]) => BigInt64Array.from(v).buffer],
  ['UINT8', 'uint_contents', uint32, same, (v: number[]) => Uint8Array.from(v).buffer],
  ['UINT16', 'uint_contents', uint32, same, (v: number[]) => Uint16Array.from(v).buffer],
  ['UINT32', 'uint_contents', uint32, same, (v: number[]) => Uint32Array.from(v).buffer],
  ['UINT64', 'uint64_contents', uint64, text, (v: bigint[]) => BigUint64Array.from(v).buffer],
  ['FP32', 'fp32_contents', fc.float(), same, (v: number[]) => Float32Array.from(v).buffer],
  ['FP64', 'fp64_contents', fc.double(), same, (v: number[]) => Float64Array.from(v).buffer],
  [
    'BOOL',
    'bool_contents',
    fc.boolean(),
    same,
    (v: boolean[]) => Uint8Array.from(v.map(Number)).buffer,
  ],
  [
    'BYTES',
    'bytes_contents',
    fc.uint8Array({ maxLength: 20 }),
    same,
    (v: Uint8Array[]) => Uint8Array.from(lengthPrefixed(v)).buffer,
  ],
];

describe('readContents', () => {
  it.each(TYPES)('reads any values of %s in %s', (dataType, list, value, onWire, raw) => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 50 }), (values) => {
        const bytes = read(dataType, { [list]: onWire(values as never) });

        expect([...bytes]).toEqual([...new Uint8Array(raw(values as never))]);
      }),
    );
  });

  it('does not copy floats that come in one piece', () => {
    const message = codec.encode({ fp32_contents: [1, 2] });

    const bytes = read('FP32', message);

    expect([...bytes]).toEqual([...message.subarray(-8)]);
    const reader = new WireReader(message);
    expect(readContents(reader, { name: 'x', dataType: 'FP32', model: 'm' }).buffer).toBe(
      message.buffer,
    );
  });

  it('puts a list together that comes in pieces, packed and one by one', () => {
    const one = Buffer.from(protobuf.Writer.create().uint32(0x10).int32(-2).finish());
    const pieces = [{ int_contents: [1] }, one, { int_contents: [3, 4] }];

    expect([...new Int16Array(Uint8Array.from(read('INT16', ...pieces)).buffer)]).toEqual([
      1, -2, 3, 4,
    ]);
  });

  it('reads no contents as no bytes', () => {
    expect(read('FP32')).toHaveLength(0);
    expect(read('BYTES')).toHaveLength(0);
  });

  it('reads an empty element of BYTES as an element', () => {
    expect([...read('BYTES', { bytes_contents: [Buffer.alloc(0)] })]).toEqual([0, 0, 0, 0]);
  });

  it('takes no notice of lists that are there and empty', () => {
    // fp64_contents and int_contents, packed, without a value.
    const empty = Buffer.of(0x3a, 0, 0x12, 0);

    expect(read('FP32', empty, { fp32_contents: [1] }, empty)).toHaveLength(4);
  });

  it('passes over fields that it does not know', () => {
    const unknown = Buffer.of(0xf8, 0x07, 5, 0xfa, 0x07, 1, 0);

    expect(read('UINT8', unknown, { uint_contents: [7] }, unknown)).toEqual(Buffer.of(7));
  });

  it.each([
    ['BOOL', 'BOOL', { bool_contents: [true] }],
    ['INT32', 'INT32', { int_contents: [1] }],
    ['INT64', 'INT64', { int64_contents: [1] }],
    ['UINT32', 'UINT32', { uint_contents: [1] }],
    ['UINT64', 'UINT64', { uint64_contents: [1] }],
    ['FP32', 'FP32', { fp32_contents: [1] }],
    ['FP64', 'FP64', { fp64_contents: [1] }],
    ['BYTES', 'BYTES', { bytes_contents: [Buffer.of(1)] }],
  ] as const)('takes the list of %s for no other type', (own, calls, contents) => {
    const others = (['BOOL', 'INT32', 'UINT64', 'FP16', 'FP32', 'BYTES', 'BF16'] as const).filter(
      (type) => type !== own,
    );

    for (const type of others)
      expect(refusal(type, contents)).toBe(
        `${BAD} of type '${calls}', expected datatype '${type}'`,
      );
    expect(refusal('INVALID', contents)).toBe(
      `${BAD} of type '${calls}', expected datatype '<invalid>'`,
    );
  });

  it.each([
    ['of another type', 'FP32', { fp32_contents: [1] }, { fp64_contents: [1] }],
    ['of the right type', 'FP64', { fp64_contents: [1] }, { fp32_contents: [1] }],
    ['of strings', 'FP32', { fp32_contents: [1] }, { bytes_contents: [Buffer.alloc(0)] }],
  ] as const)('refuses a second list, %s', (_what, dataType, first, second) => {
    expect(refusal(dataType, first, second)).toBe(`${BAD}, binary data was already supplied.`);
  });

  it.each([
    ['FP32', 0x32, 'a packed list of 4-byte numbers has 6 bytes'],
    ['FP64', 0x3a, 'a packed list of 8-byte numbers has 6 bytes'],
  ] as const)('refuses half a number of %s', (dataType, tag, text) => {
    expect(refusal(dataType, Buffer.of(tag, 6, 1, 2, 3, 4, 5, 6))).toBe(text);
  });

  it.each([
    ['integers', 'INT32', Buffer.of(0x12, 2, 1, 0x80)],
    ['bools', 'BOOL', Buffer.of(0x0a, 2, 1, 0x80)],
    ['a list', 'FP32', Buffer.of(0x32, 8, 1, 2, 3, 4)],
    ['an element', 'BYTES', Buffer.of(0x42, 8, 1)],
    ['a tag', 'FP32', Buffer.of(0xb2)],
  ] as const)('refuses %s that are cut off', (_what, dataType, bytes) => {
    expect(refusal(dataType, bytes)).toMatch(
      /^request is not a valid protobuf message: message ends/,
    );
  });
});
