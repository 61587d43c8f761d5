import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { WireWriter, cachedUtf8, delimitedSize, varintSize } from './wire-writer.js';

const edges = [0, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32, 2 ** 53 - 1, -1, -(2 ** 53) + 1];
const integer = fc.oneof(fc.maxSafeInteger(), fc.nat(300), fc.constantFrom(...edges));

function written(size: number, write: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter(size);
  // What is not written must not go out by chance.
  writer.buffer.fill(0xee);
  write(writer);
  return writer.buffer;
}

describe('WireWriter', () => {
  it('writes integers as protobufjs does, in as many bytes as were announced', () => {
    fc.assert(
      fc.property(integer, (value) => {
        const bytes = written(varintSize(value), (writer) => writer.varint(value));

        expect([...bytes]).toEqual([...protobuf.Writer.create().int64(value).finish()]);
      }),
      { numRuns: 1000 },
    );
  });

  it('writes one integer behind the other', () => {
    fc.assert(
      fc.property(fc.array(integer, { maxLength: 8 }), (values) => {
        const size = values.reduce((sum, value) => sum + varintSize(value), 0);
        const bytes = written(size, (writer) => values.forEach((value) => writer.varint(value)));

        const reader = protobuf.Reader.create(bytes);
        const read = values.map(() => Number(reader.int64()));

        expect(read).toEqual(values);
        expect(reader.pos).toBe(size);
      }),
    );
  });

  it('writes fields of bytes as protobufjs does', () => {
    const field = fc.tuple(fc.integer({ min: 1, max: 15 }), fc.uint8Array({ maxLength: 300 }));
    fc.assert(
      fc.property(fc.array(field, { maxLength: 5 }), (fields) => {
        const size = fields.reduce((sum, [, { length }]) => sum + delimitedSize(length), 0);
        const bytes = written(size, (writer) => {
          for (const [number, content] of fields) writer.bytes(number, content);
        });

        const expected = protobuf.Writer.create();
        for (const [number, content] of fields) expected.uint32(number * 8 + 2).bytes(content);
        expect([...bytes]).toEqual([...expected.finish()]);
      }),
    );
  });

  it('writes the head of a field whose content follows', () => {
    const bytes = written(delimitedSize(2), (writer) => {
      writer.delimited(5, 2);
      writer.varint(200);
    });

    expect([...bytes]).toEqual([0x2a, 2, 0xc8, 0x01]);
  });

  it('copies what it writes', () => {
    const content = Buffer.of(1, 2);
    const bytes = written(delimitedSize(2), (writer) => writer.bytes(1, content));

    content.fill(9);

    expect([...bytes]).toEqual([0x0a, 2, 1, 2]);
  });
});

describe('cachedUtf8', () => {
  it('gives the bytes of a text, the first time and again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(cachedUtf8(text)).toEqual(Buffer.from(text));
        expect(cachedUtf8(text)).toEqual(Buffer.from(text));
      }),
    );
  });

  it('does not make the bytes anew for a text that comes again', () => {
    expect(cachedUtf8('again')).toBe(cachedUtf8('again'));
  });

  it('does not keep every text for ever', () => {
    const first = cachedUtf8('the first');
    for (let i = 0; i < 10_000; i++) cachedUtf8(`text ${i}`);

    const later = cachedUtf8('the first');

    expect(later).toEqual(first);
    expect(later).not.toBe(first);
  });
});
