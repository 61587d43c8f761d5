import fc from 'fast-check';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { WireFile, wireBytes, wireNumber, type WireField } from './protobuf-wire.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'protobuf-wire-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

function withFile<T>(content: Uint8Array, use: (file: WireFile) => T): T {
  const path = join(directory, 'file');
  writeFileSync(path, content);
  const fd = openSync(path, 'r');
  try {
    return use(new WireFile(fd, content.length));
  } finally {
    closeSync(fd);
  }
}

function fieldsOf(content: Uint8Array): WireField[] {
  return withFile(content, (file) => [...file.fields(0, file.size)]);
}

function refusal(content: Uint8Array): string {
  try {
    fieldsOf(content);
  } catch (error) {
    expect(error).toBeInstanceOf(RuntimeError);
    expect((error as RuntimeError).code).toBe('INVALID_ARGUMENT');
    return (error as RuntimeError).message;
  }
  throw new Error('nothing was refused');
}

const fieldNumber = fc.integer({ min: 1, max: 2 ** 29 - 1 });

describe('WireFile', () => {
  it('finds the fields that protobufjs writes', () => {
    const content = fc.oneof(
      fc.maxSafeNat().map((value) => ({ wireType: 0, value, bytes: undefined })),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ wireType: 2, value: 0, bytes })),
      fc.double().map((value) => ({ wireType: 1, value, bytes: undefined })),
      fc.nat().map((value) => ({ wireType: 5, value, bytes: undefined })),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fieldNumber, content), { maxLength: 10 }), (fields) => {
        const writer = protobuf.Writer.create();
        const starts: number[] = [];
        for (const [number, { wireType, value, bytes }] of fields) {
          starts.push(writer.pos);
          writer.uint32((number * 8 + wireType) >>> 0);
          if (wireType === 0) writer.uint64(value);
          else if (wireType === 1) writer.double(value);
          else if (wireType === 5) writer.fixed32(value);
          else writer.bytes(bytes!);
        }

        const message = writer.finish();
        const found = fieldsOf(message);

        expect(found.map(({ number, wireType, start }) => [number, wireType, start])).toEqual(
          fields.map(([number, { wireType }], i) => [number, wireType, starts[i]]),
        );
        found.forEach(({ value, from, to }, i) => {
          const [, written] = fields[i]!;
          expect(to).toBe(starts[i + 1] ?? message.length);
          if (written.wireType === 0) expect(value).toBe(written.value);
          if (written.bytes) expect([...message.subarray(from, to)]).toEqual([...written.bytes]);
        });
      }),
    );
  });

  it('reads text and bytes where they lie', () => {
    const message = Buffer.concat([wireBytes(1, 'ü 世'), wireNumber(2, 5), wireBytes(3, 'end')]);

    withFile(message, (file) => {
      const [first, second, third] = [...file.fields(0, file.size)] as [
        WireField,
        WireField,
        WireField,
      ];

      expect([file.text(third), file.text(first)]).toEqual(['end', 'ü 世']);
      expect(file.bytes(second.start, second.to)).toEqual(wireNumber(2, 5));
    });
  });

  it('goes into messages within messages, in any order', () => {
    const inner = wireBytes(1, Buffer.concat([wireNumber(1, 7), wireNumber(2, 8)]));
    const message = Buffer.concat([inner, wireNumber(9, 1)]);

    withFile(message, (file) => {
      const [outer, last] = [...file.fields(0, file.size)] as [WireField, WireField];
      const values = (): number[] =>
        [...file.fields(outer.from, outer.to)].map(({ value }) => value);

      expect([last.value, values(), values()]).toEqual([1, [7, 8], [7, 8]]);
    });
  });

  it('finds what lies behind weights of any size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(300), fc.integer({ min: 65_520, max: 65_550 }), fc.nat(200_000)), {
          minLength: 1,
          maxLength: 6,
        }),
        (sizes) => {
          const fields = sizes.flatMap((size, i) => [
            wireBytes(5, Buffer.alloc(size, 0xff)),
            wireNumber(2, i * 1000),
          ]);

          const found = fieldsOf(Buffer.concat(fields));

          expect(found.filter(({ number }) => number === 2).map(({ value }) => value)).toEqual(
            sizes.map((_, i) => i * 1000),
          );
          expect(
            found.filter(({ number }) => number === 5).map(({ from, to }) => to - from),
          ).toEqual(sizes);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('has no fields where there are no bytes', () => {
    expect(fieldsOf(Buffer.alloc(0))).toEqual([]);
  });

  it.each([
    ['a tag that is cut off', Buffer.of(0x88), 1],
    ['a number that is cut off', Buffer.of(0x08, 0x80), 2],
    ['a number that is missing', Buffer.of(0x08), 1],
    ['a length beyond the end', Buffer.of(0x0a, 3, 1, 2), 0],
    ['a length beyond all files', Buffer.of(0x0a, 255, 255, 255, 255, 255, 255, 255, 127, 1), 0],
    ['eight bytes of which there are seven', Buffer.of(0x09, 1, 2, 3, 4, 5, 6, 7), 0],
    ['four bytes of which there are three', Buffer.of(0x0d, 1, 2, 3), 0],
    ['a group', Buffer.of(0x0b, 0x0c), 0],
    ['the end of a group', Buffer.of(0x08, 1, 0x0c), 2],
    ['wire type 6', Buffer.of(0x0e), 0],
    ['wire type 7', Buffer.of(0x0f), 0],
    ['a number of eleven bytes', Buffer.from([0x08, ...Array<number>(10).fill(0x80), 0]), 1],
  ])('refuses %s', (_what, content, at) => {
    expect(refusal(content)).toBe(`not an ONNX model: no protobuf field at byte ${at}`);
  });

  it('refuses what reaches beyond the end of its message, though not of the file', () => {
    const message = Buffer.concat([wireBytes(1, Buffer.of(0x0a, 5, 1)), wireBytes(2, 'behind it')]);

    withFile(message, (file) => {
      const [outer] = [...file.fields(0, file.size)] as [WireField];

      expect(() => [...file.fields(outer.from, outer.to)]).toThrow('no protobuf field at byte 2');
    });
  });

  it('refuses to read bytes behind the end', () => {
    withFile(Buffer.of(1, 2), (file) => {
      expect(() => file.bytes(1, 3)).toThrow('no protobuf field at byte 1');
    });
  });

  it('notices a file that has become shorter', () => {
    const path = join(directory, 'short');
    writeFileSync(path, Buffer.of(0x0a, 2, 1));
    const fd = openSync(path, 'r');
    try {
      const file = new WireFile(fd, 100);

      expect(() => file.bytes(0, 100)).toThrow('not an ONNX model');
      expect(() => [...file.fields(3, 100)]).toThrow('not an ONNX model');
    } finally {
      closeSync(fd);
    }
  });
});

describe('writing', () => {
  it('makes fields of bytes as protobufjs does', () => {
    fc.assert(
      fc.property(fieldNumber, fc.uint8Array({ maxLength: 300 }), (number, bytes) => {
        const expected = protobuf.Writer.create()
          .uint32((number * 8 + 2) >>> 0)
          .bytes(bytes);

        expect([...wireBytes(number, bytes)]).toEqual([...expected.finish()]);
      }),
    );
  });

  it('makes fields of text as protobufjs does', () => {
    fc.assert(
      fc.property(fieldNumber, fc.string({ unit: 'grapheme' }), (number, text) => {
        const expected = protobuf.Writer.create()
          .uint32((number * 8 + 2) >>> 0)
          .string(text);

        expect([...wireBytes(number, text)]).toEqual([...expected.finish()]);
      }),
    );
  });

  it('makes fields of numbers as protobufjs does', () => {
    fc.assert(
      fc.property(fieldNumber, fc.maxSafeNat(), (number, value) => {
        const expected = protobuf.Writer.create()
          .uint32((number * 8) >>> 0)
          .uint64(value);

        expect([...wireNumber(number, value)]).toEqual([...expected.finish()]);
      }),
    );
  });
});
