import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { modelConfigType } from './model-config-schema.js';
import { readText, type PlainMessage } from './text-format.js';

function read(text: string): PlainMessage {
  const { message, problems } = readText(modelConfigType(), text);
  expect(problems).toEqual([]);
  return message;
}

/** "line:column path: message" of each problem. */
function problemsOf(text: string, type = modelConfigType()): string[] {
  return readText(type, text).problems.map(
    ({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`,
  );
}

describe('readText', () => {
  it('reads a configuration as people write it', () => {
    const message = read(`
      # comments, with and without text
      #
      name: "m" max_batch_size: 8;
      input [
        { name: "a", data_type: TYPE_FP32, dims: [ -1, 4 ] },
        { name: 'b' data_type: 9 dims: 3 dims: 4 reshape: { shape: [ ] } }
      ]
      output < name: "y" >
      parameters { key: "k" value { string_value: "v" } }
      parameters { key: "only_key" }
      dynamic_batching { }`);

    expect(message).toEqual({
      name: 'm',
      max_batch_size: 8,
      input: [
        { name: 'a', data_type: 'TYPE_FP32', dims: [-1, 4] },
        { name: 'b', data_type: 'TYPE_INT64', dims: [3, 4], reshape: {} },
      ],
      output: [{ name: 'y' }],
      parameters: { k: { string_value: 'v' }, only_key: {} },
      dynamic_batching: {},
    });
  });

  it('tells a zero that is written from one that is not', () => {
    expect(read('max_batch_size: 0')).toEqual({ max_batch_size: 0 });
    expect(read('')).toEqual({});
  });

  it.each(['constructor: 1', 'toString { a: 1 }', '__proto__: 1', 'hasOwnProperty: 1'])(
    'knows no field by a name that every object has: %s',
    (text) => {
      const name = /^\w+/.exec(text)![0];

      expect(problemsOf(text)).toEqual([`1:1 ${name}: message ModelConfig has no field '${name}'`]);
    },
  );

  it('takes no name for a bool that every object has', () => {
    expect(problemsOf('dynamic_batching { preserve_ordering: constructor }')).toEqual([
      '1:39 dynamic_batching.preserve_ordering: expected a value of type bool (true or false), got constructor',
    ]);
  });

  it.each([
    [String.raw`"a\n\t\\\"\'\?"`, 'a\n\t\\"\'?'],
    [String.raw`"\101\x42\u0043\U00000044"`, 'ABCD'],
    [String.raw`"\303\251"`, 'é'],
    [`"one " 'two ' "three"`, 'one two three'],
    [`"# no comment"`, '# no comment'],
    [`"世界"`, '世界'],
    [`""`, ''],
  ])('reads the string %s', (text, value) => {
    expect(read(`name: ${text}`)).toEqual({ name: value });
  });

  it.each([
    ['0x1F', 31],
    ['017', 15],
    ['-0x10', -16],
    ['- 5', -5],
  ])('reads the number %s', (text, value) => {
    expect(read(`max_batch_size: ${text}`)).toEqual({ max_batch_size: value });
  });

  it('keeps 64-bit numbers exact', () => {
    const dims = '[ 9007199254740991, 9223372036854775807, -9223372036854775808 ]';

    expect(read(`input { dims: ${dims} }`)).toEqual({
      input: [{ dims: [9007199254740991, '9223372036854775807', '-9223372036854775808'] }],
    });
  });

  it.each([
    ['1.5', 1.5],
    ['.5f', 0.5],
    ['2e3', 2000],
    ['3', 3],
    ['-inf', -Infinity],
    ['nan', NaN],
  ])('reads the float %s', (text, value) => {
    expect(read(`resilience { hedge { delay_quantile: ${text} } }`)).toEqual({
      resilience: { hedge: { delay_quantile: value } },
    });
  });

  it('takes a key named __proto__ for a key', () => {
    const { metric_tags: tags } = read('metric_tags { key: "__proto__" value: "x" }');

    expect(Object.entries(tags as object)).toEqual([['__proto__', 'x']]);
    expect(({} as { x?: string }).x).toBeUndefined();
  });

  it('reads bytes as bytes', () => {
    const type = new protobuf.Type('T').add(new protobuf.Field('data', 1, 'bytes'));

    expect(readText(type, String.raw`data: "\377\000"`).message).toEqual({
      data: Buffer.of(255, 0),
    });
  });

  describe('finds all problems, each with its place:', () => {
    it('unknown fields, whose values it passes over', () => {
      const text = [
        'max_batchsize: 8',
        'input { nmae: "a" "b" dims: [ 1 ] }',
        'nested { a: 1 b < c: [ "]", { } ] > }',
        'name: "m"',
      ].join('\n');

      expect(problemsOf(text)).toEqual([
        "1:1 max_batchsize: message ModelConfig has no field 'max_batchsize'; did you mean 'max_batch_size'?",
        "2:9 input[0].nmae: message ModelInput has no field 'nmae'; did you mean 'name'?",
        "3:1 nested: message ModelConfig has no field 'nested'",
      ]);
      expect(readText(modelConfigType(), text).message).toEqual({
        input: [{ dims: [1] }],
        name: 'm',
      });
    });

    it('values of the wrong type', () => {
      expect(
        problemsOf(
          'max_batch_size: eight\nname: 5\ninput { data_type: FP32 dims: 1.5 }\nresponse_cache { enable: yes }',
        ),
      ).toEqual([
        '1:17 max_batch_size: expected a value of type int32, got eight',
        '2:7 name: expected a value of type string, got 5',
        expect.stringMatching(
          /^3:20 input\[0\]\.data_type: expected one of TYPE_INVALID, TYPE_BOOL, .*, got FP32$/,
        ),
        '3:31 input[0].dims[0]: expected a value of type int64, got 1.5',
        '4:26 response_cache.enable: expected a value of type bool (true or false), got yes',
      ]);
    });

    it('numbers out of range', () => {
      expect(problemsOf('max_batch_size: 2147483648')).toEqual([
        '1:17 max_batch_size: expected a value of type int32 (-2147483648 to 2147483647), got 2147483648',
      ]);
      expect(problemsOf('model_warmup { count: -1 }')).toEqual([
        '1:23 model_warmup[0].count: expected a value of type uint32 (0 to 4294967295), got -1',
      ]);
    });

    it('fields given twice, and members of a oneof that exclude each other', () => {
      expect(
        problemsOf('name: "a"\nname: "b"\ndynamic_batching { }\nsequence_batching { }'),
      ).toEqual([
        "2:1 name: field 'name' is given more than once",
        "4:1 sequence_batching: field 'sequence_batching' excludes 'dynamic_batching', given above",
      ]);
    });

    it('text that is not UTF-8', () => {
      expect(problemsOf(String.raw`name: "\377"`)).toEqual([
        String.raw`1:7 name: expected UTF-8 text, got "\377"`,
      ]);
    });
  });

  it.each([
    ['input [ { name: "a" }', "1:22 : expected ',' or ']', but the text ends"],
    ['input { name: "a"', '1:18 : expected a field name, but the text ends'],
    ['name "a"', "1:6 : expected ':', but found '\"a\"'"],
    ['name: "a\nb"', '1:7 : string is not closed on its line'],
    ['name: @', "1:7 : unexpected character '@'"],
    ['max_batch_size: 8x', "1:17 : '8x' is not a number"],
    ['name: }', "1:7 : expected a value, but found '}'"],
    [
      'optimization: 5',
      "1:15 : expected '{' (optimization is a message ModelOptimizationPolicy), but found '5'",
    ],
    ['name: "\\q"', String.raw`1:7 : '\q' is not an escape`],
    ['optimization { cuda {', '1:22 : expected a field name, but the text ends'],
  ])('stops at %j', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it('never throws and never hangs, whatever the text', () => {
    const piece = fc.constantFrom(
      ...[
        '{',
        '}',
        '<',
        '>',
        '[',
        ']',
        ':',
        ',',
        ';',
        '-',
        '"a"',
        "'b'",
        '#c',
        '\n',
        ' ',
        '1',
        '0x',
        '1.5',
        'input',
      ],
      ...[
        'name',
        'dims',
        'key',
        'value',
        'parameters',
        'TYPE_FP32',
        'true',
        '\\',
        '"',
        '\0',
        'é',
        '{'.repeat(200),
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        readText(modelConfigType(), pieces.join(' '));
        readText(modelConfigType(), pieces.join(''));
      }),
      { numRuns: 2000 },
    );
  });
});
