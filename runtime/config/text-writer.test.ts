import fc from 'fast-check';
import protobuf from 'protobufjs';
import textformat from 'protobufjs/ext/textformat.js';
import { describe, expect, it } from 'vitest';
import { modelConfigType } from './model-config-schema.js';
import { readText, type PlainMessage } from './text-format.js';
import { writeText } from './text-writer.js';

function write(message: PlainMessage): string {
  return writeText(modelConfigType(), message);
}

describe('writeText', () => {
  it('writes a configuration as people write it', () => {
    const text = write({
      max_batch_size: 0,
      name: 'm',
      input: [
        { name: 'x', data_type: 'TYPE_FP32', dims: [-1, 64] },
        { name: 'with_a_name_that_is_long_by_itself', data_type: 'TYPE_STRING', dims: [1] },
      ],
      dynamic_batching: {},
      version_policy: { latest: { num_versions: 1 } },
      parameters: { k: { string_value: 'v' } },
    });

    expect(text).toBe(`name: "m"
version_policy { latest { num_versions: 1 } }
max_batch_size: 0
input { name: "x" data_type: TYPE_FP32 dims: [ -1, 64 ] }
input {
  name: "with_a_name_that_is_long_by_itself"
  data_type: TYPE_STRING
  dims: [ 1 ]
}
dynamic_batching { }
parameters { key: "k" value { string_value: "v" } }
`);
  });

  it('leaves out what is not there', () => {
    expect(write({ name: undefined, input: [], optimization: null })).toBe('');
  });

  it.each([
    ['a "quote" and a \\', String.raw`"a \"quote\" and a \\"`],
    ['two\nlines\tand\0', String.raw`"two\nlines\tand\000"`],
    ['世界', '"世界"'],
  ])('quotes %j', (name, text) => {
    expect(write({ name })).toBe(`name: ${text}\n`);
  });

  it.each([
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [NaN, 'nan'],
    [-0, '-0'],
    [0.95, '0.95'],
  ])('writes the float %s', (value, text) => {
    const message = { resilience: { hedge: { delay_quantile: value } } };

    expect(write(message)).toBe(`resilience { hedge { delay_quantile: ${text} } }\n`);
  });

  it('writes what readText reads, every field of every kind', () => {
    fc.assert(
      fc.property(leaf, fc.array(leaf, { minLength: 1, maxLength: 2 }), (outer, nested) => {
        const message: PlainMessage = {
          ...outer,
          nested,
          child: nested[0],
          by_number: { 5: nested[0] },
        };

        const { message: back, problems } = readText(everything, writeText(everything, message));

        expect(problems).toEqual([]);
        expect(back).toEqual(message);
      }),
      { numRuns: 300 },
    );
  });

  it('writes what the reader of protobufjs reads', () => {
    fc.assert(
      fc.property(leaf, (message) => {
        const theirs = textformat.fromText(everything, writeText(everything, message));

        expect(canonical(theirs.toJSON())).toEqual(canonical(message));
      }),
      { numRuns: 300 },
    );
  });
});

describe('readText', () => {
  it('reads what protobufjs writes', () => {
    fc.assert(
      fc.property(leaf, (message) => {
        const text = textformat.toText(everything, everything.fromObject(message));

        expect(canonical(readText(everything, text).message)).toEqual(canonical(message));
      }),
      { numRuns: 300 },
    );
  });
});

const everything = protobuf
  .parse(
    `
  syntax = "proto3";
  message Everything {
    enum Color { RED = 0; GREEN = 1; BLUE = 7; }
    string text = 1; bytes raw = 2; bool flag = 3; Color color = 4;
    int32 i32 = 5; uint32 u32 = 6; sint32 s32 = 7; fixed32 f32 = 8; double number = 9; float small = 10;
    int64 i64 = 11; uint64 u64 = 12;
    repeated int32 list = 13; repeated string texts = 14; repeated Everything nested = 15;
    map<string, string> tags = 16; map<int32, Everything> by_number = 17;
    Everything child = 18; repeated Color colors = 19;
  }`,
    { keepCase: true },
  )
  .root.lookupType('Everything');

const leaf = fc.record(
  {
    text: fc.string({ unit: 'binary' }),
    raw: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
    flag: fc.boolean(),
    color: fc.constantFrom('RED', 'GREEN', 'BLUE'),
    i32: fc.integer(),
    u32: fc.nat(4294967295),
    s32: fc.integer(),
    f32: fc.nat(4294967295),
    number: fc.double(),
    small: fc.float({ noNaN: true }),
    i64: fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
    u64: fc.nat(Number.MAX_SAFE_INTEGER),
    list: fc.array(fc.integer(), { minLength: 1, maxLength: 3 }),
    texts: fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
    colors: fc.array(fc.constantFrom('RED', 'BLUE'), { minLength: 1, maxLength: 3 }),
    tags: fc.dictionary(fc.string(), fc.string(), {
      minKeys: 1,
      maxKeys: 3,
      noNullPrototype: true,
    }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** Over the wire and back: there, a field that is absent and one that has its default are the same. */
function canonical(message: PlainMessage): PlainMessage {
  const bytes = everything.encode(everything.fromObject(message)).finish();
  return everything.toObject(everything.decode(bytes), {
    longs: Number,
    enums: String,
    bytes: Array,
  });
}
