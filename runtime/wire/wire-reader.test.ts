import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { WireReader } from './wire-reader.js';

type Writer = protobuf.Writer;

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

/** A reader of what protobufjs writes, in a buffer that has other bytes before and behind it. */
function readerOf(write: (writer: Writer) => Writer): WireReader {
  const bytes = write(protobuf.Writer.create()).finish();
  const buffer = Buffer.concat([Buffer.of(0x55, 0xaa), bytes, Buffer.of(0x55, 0xaa)]);
  return new WireReader(buffer, 2, 2 + bytes.length);
}

/** As protobufjs takes 64 bits: as an object of two halves. */
function long(value: bigint): protobuf.Long {
  const low = Number(BigInt.asIntN(32, value));
  const high = Number(BigInt.asIntN(32, value >> 32n));
  return new protobuf.util.Long(low, high, true);
}

function reading(...bytes: number[]): WireReader {
  return new WireReader(Buffer.from(bytes));
}

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(RuntimeError);
    expect((error as RuntimeError).code).toBe('INVALID_ARGUMENT');
    return (error as RuntimeError).message.replace('request is not a valid protobuf message: ', '');
  }
  throw new Error('nothing was refused');
}

const CONTINUED = 0x80;

describe('WireReader reads what protobufjs writes', () => {
  it('uint32', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), (value) => {
        const reader = readerOf((writer) => writer.uint32(value));

        expect([reader.uint32(), reader.done]).toEqual([value, true]);
      }),
    );
  });

  it('the low half of any 64-bit integer, as typed contents need it', () => {
    fc.assert(
      fc.property(int64, (value) => {
        const reader = readerOf((writer) => writer.uint64(long(value)));

        expect([reader.uint32(), reader.done]).toEqual([Number(BigInt.asUintN(32, value)), true]);
      }),
    );
  });

  it('uint64', () => {
    fc.assert(
      fc.property(uint64, (value) => {
        const reader = readerOf((writer) => writer.uint64(long(value)));

        expect([reader.uint64(), reader.done]).toEqual([value, true]);
      }),
    );
  });

  it('int64, exact up to 2^53 and near beyond', () => {
    const edges = [0n, 127n, 128n, -1n, -128n, 2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n];
    fc.assert(
      fc.property(fc.oneof(int64, fc.constantFrom(...edges)), (value) => {
        const reader = readerOf((writer) => writer.int64(long(value)));

        expect([reader.int64(), reader.done]).toEqual([Number(value), true]);
      }),
      { numRuns: 500 },
    );
  });

  it('negative int32, which take ten bytes', () => {
    fc.assert(
      fc.property(fc.integer({ max: -1 }), (value) => {
        expect(readerOf((writer) => writer.int32(value)).int64()).toBe(value);
        expect(readerOf((writer) => writer.int32(value)).uint32()).toBe(value >>> 0);
      }),
    );
  });

  it('bool', () => {
    expect(readerOf((writer) => writer.bool(true)).bool()).toBe(true);
    expect(readerOf((writer) => writer.bool(false)).bool()).toBe(false);
    expect(reading(0x80, 0x80, 0x80, 0x80, 0x10).bool()).toBe(true);
  });

  it('double', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        const reader = readerOf((writer) => writer.double(value));

        expect([reader.double(), reader.done]).toEqual([value, true]);
      }),
    );
  });

  it('text in any language', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const reader = readerOf((writer) => writer.string(value));

        expect([reader.text(), reader.done]).toEqual([value, true]);
      }),
    );
  });

  it('bytes, as a view', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (value) => {
        const reader = readerOf((writer) => writer.bytes(value));

        const bytes = reader.bytes();

        expect([...bytes]).toEqual([...value]);
        expect(bytes.buffer).toBe(reader.buffer.buffer);
        expect(reader.done).toBe(true);
      }),
    );
  });

  it('tags', () => {
    const tag = fc.tuple(fc.integer({ min: 1, max: 2 ** 29 - 1 }), fc.constantFrom(0, 1, 2, 5));
    fc.assert(
      fc.property(tag, ([field, wireType]) => {
        const expected = field * 8 + wireType;

        expect(readerOf((writer) => writer.uint32(expected)).tag()).toBe(expected);
      }),
    );
  });

  it('messages within messages, each to its own end', () => {
    fc.assert(
      fc.property(fc.array(uint64, { maxLength: 20 }), fc.nat(2 ** 32 - 1), (values, behind) => {
        const reader = readerOf((writer) => {
          writer.fork();
          for (const value of values) writer.uint64(long(value));
          return writer.ldelim().uint32(behind);
        });

        const inner = reader.message();
        const read: bigint[] = [];
        while (!inner.done) read.push(inner.uint64());

        expect(read).toEqual(values);
        expect([reader.uint32(), reader.done]).toEqual([behind, true]);
      }),
    );
  });

  it('whatever comes behind fields that it passes over', () => {
    const field = fc.oneof(
      uint64.map((value) => [0, (writer: Writer) => writer.uint64(long(value))] as const),
      fc.double().map((value) => [1, (writer: Writer) => writer.double(value)] as const),
      fc.uint8Array().map((value) => [2, (writer: Writer) => writer.bytes(value)] as const),
      fc.nat().map((value) => [5, (writer: Writer) => writer.fixed32(value)] as const),
    );
    fc.assert(
      fc.property(fc.array(field, { maxLength: 10 }), (fields) => {
        const reader = readerOf((writer) => {
          for (const [, write] of fields) write(writer);
          return writer.uint32(77);
        });

        for (const [wireType] of fields) reader.skip(wireType);

        expect([reader.uint32(), reader.done]).toEqual([77, true]);
      }),
    );
  });
});

describe('WireReader refuses', () => {
  it.each([
    ['a varint that is cut off', (reader: WireReader) => reader.uint32(), [CONTINUED]],
    ['a 64-bit varint that is cut off', (reader: WireReader) => reader.uint64(), [CONTINUED, 0xff]],
    ['a signed varint that is cut off', (reader: WireReader) => reader.int64(), [CONTINUED]],
    ['a varint where there is nothing', (reader: WireReader) => reader.uint32(), []],
    ['a bool where there is nothing', (reader: WireReader) => reader.bool(), []],
    ['to skip a varint that is cut off', (reader: WireReader) => reader.skip(0), [CONTINUED]],
  ] as const)('%s', (_what, read, bytes) => {
    expect(refusal(() => read(reading(...bytes)))).toBe(`message ends at byte ${bytes.length}`);
  });

  it.each([
    ['double', (reader: WireReader) => reader.double()],
    ['eight bytes to skip', (reader: WireReader) => reader.skip(1)],
  ] as const)('a %s of which there are seven bytes', (_what, read) => {
    expect(refusal(() => read(reading(1, 2, 3, 4, 5, 6, 7)))).toBe(
      'message ends, 8 bytes were announced at byte 0',
    );
  });

  it('four bytes to skip of which there are three', () => {
    expect(refusal(() => reading(1, 2, 3).skip(5))).toBe(
      'message ends, 4 bytes were announced at byte 0',
    );
  });

  it.each([
    ['text', (reader: WireReader) => reader.text()],
    ['bytes', (reader: WireReader) => reader.bytes()],
    ['a message', (reader: WireReader) => reader.message()],
    ['a field to skip', (reader: WireReader) => reader.skip(2)],
  ] as const)('%s whose length reaches beyond the end', (_what, read) => {
    expect(refusal(() => read(reading(3, 1, 2)))).toBe(
      'message ends, 3 bytes were announced at byte 1',
    );
    expect(refusal(() => read(reading(0xff, 0xff, 0xff, 0xff, 0x0f, 1)))).toBe(
      'message ends, 4294967295 bytes were announced at byte 5',
    );
  });

  it('what reaches beyond the end of its message, though not of the buffer', () => {
    const inner = (): WireReader => reading(2, 4, 1, 9, 9, 9, 9, 9, 9, 9, 9).message();

    expect(refusal(() => inner().text())).toBe('message ends, 4 bytes were announced at byte 2');
    expect(refusal(() => inner().double())).toBe('message ends, 8 bytes were announced at byte 1');
    expect(refusal(() => reading(1, CONTINUED, 1).message().uint32())).toBe(
      'message ends at byte 2',
    );
    expect(refusal(() => reading(1, CONTINUED, 1).message().uint64())).toBe(
      'message ends at byte 2',
    );
  });

  it.each([
    ['uint32', (reader: WireReader) => reader.uint32()],
    ['uint64', (reader: WireReader) => reader.uint64()],
    ['int64', (reader: WireReader) => reader.int64()],
    ['bool', (reader: WireReader) => reader.bool()],
    ['a tag', (reader: WireReader) => reader.tag()],
    ['a length', (reader: WireReader) => reader.bytes()],
    ['a varint to skip', (reader: WireReader) => reader.skip(0)],
  ] as const)('%s of eleven bytes, and takes ten', (_what, read) => {
    const ten = [...Array<number>(9).fill(CONTINUED), 0];
    const eleven = [...Array<number>(10).fill(CONTINUED), 0];

    expect(refusal(() => read(reading(...eleven)))).toBe('varint longer than 10 bytes at byte 10');
    const taken = reading(...ten, 0);
    try {
      read(taken);
    } catch (error) {
      // A tag of 0 is refused for another reason.
      expect((error as Error).message).toContain('field number 0');
    }
    expect(taken.at).toBe(10);
  });

  it.each([0, 1, 2, 5, 7])('field number 0 with wire type %i', (wireType) => {
    expect(refusal(() => reading(wireType).tag())).toBe('field number 0 at byte 1');
  });

  it.each([3, 4, 6, 7])('to pass over wire type %i: groups are not in use', (wireType) => {
    expect(refusal(() => reading(1, 2, 3).skip(wireType))).toBe(`wire type ${wireType} at byte 0`);
  });

  it('text that is no UTF-8', () => {
    refusal(() => reading(2, 0xff, 0xfe).text());
  });

  it('to read on behind the end', () => {
    const reader = reading(2, 1, 2);
    reader.bytes();

    expect(reader.done).toBe(true);
    expect(refusal(() => reader.tag())).toBe('message ends at byte 3');
  });
});
