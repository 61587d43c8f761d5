import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { NO_PARAMETERS, type RequestParameters } from '../core/inference.js';
import { messageCodec } from './message-codec.js';
import { readParameterEntry, type WireParameter } from '../wire/infer-parameter.js';
import { WireReader } from '../wire/wire-reader.js';
import { requestParameters } from './request-parameters.js';

const codec = messageCodec('inference.InferParameter');

function parameter(value: Record<string, unknown>): Buffer {
  return codec.encode(value);
}

/** One entry of the map as it lies in a message: key in field 1, value in field 2. */
function entry(key: string, ...values: Buffer[]): Buffer {
  const name = Buffer.from(key);
  return Buffer.concat([
    Buffer.of(0x0a, name.length),
    name,
    ...values.map((value) => Buffer.concat([Buffer.of(0x12, value.length), value])),
  ]);
}

function read(bytes: Buffer): [string, WireParameter] {
  const parameters = new Map<string, WireParameter>();
  readParameterEntry(parameters, new WireReader(bytes));
  return [...parameters][0]!;
}

describe('readParameterEntry', () => {
  it.each([
    [{ bool_param: true }, 'bool', true],
    [{ bool_param: false }, 'bool', false],
    [{ int64_param: -5 }, 'int64', -5],
    [{ int64_param: '-9223372036854775808' }, 'int64', -(2n ** 63n)],
    [{ int64_param: 0 }, 'int64', 0],
    [{ string_param: '' }, 'string', ''],
    [{ string_param: 'ü 世' }, 'string', 'ü 世'],
    [{ double_param: -0.5 }, 'double', -0.5],
    [{ uint64_param: 7 }, 'uint64', 7],
    [{ uint64_param: '18446744073709551615' }, 'uint64', 2n ** 64n - 1n],
  ])('reads %j', (value, type, expected) => {
    expect(read(entry('key', parameter(value)))).toEqual(['key', { type, value: expected }]);
  });

  it('reads a value that says nothing, or none at all, as one without a type', () => {
    expect(read(entry('key', Buffer.alloc(0)))[1].type).toBeUndefined();
    expect(read(entry('key'))[1].type).toBeUndefined();
  });

  it('takes the last of several values', () => {
    const twice = Buffer.concat([parameter({ bool_param: true }), parameter({ int64_param: 2 })]);

    expect(read(entry('key', twice))[1]).toEqual({ type: 'int64', value: 2 });
    expect(
      read(entry('key', parameter({ bool_param: true }), parameter({ string_param: 'x' })))[1],
    ).toEqual({ type: 'string', value: 'x' });
  });

  it('takes the value before the key', () => {
    const value = Buffer.concat([Buffer.of(0x12, 2), parameter({ bool_param: true })]);

    expect(read(Buffer.concat([value, entry('key')]))).toEqual([
      'key',
      { type: 'bool', value: true },
    ]);
  });

  it('takes an entry without a key for one with an empty key', () => {
    expect(read(Buffer.alloc(0))[0]).toBe('');
  });

  it('passes over fields that it does not know', () => {
    const unknown = Buffer.of(0xf8, 0x07, 5);
    const value = Buffer.concat([unknown, parameter({ bool_param: true }), unknown]);

    expect(read(Buffer.concat([unknown, entry('key', value)]))).toEqual([
      'key',
      { type: 'bool', value: true },
    ]);
  });

  it('refuses a value that is cut off', () => {
    expect(() => read(entry('key', Buffer.of(0x21, 1, 2)))).toThrow(RuntimeError);
  });
});

describe('requestParameters', () => {
  function parameters(...entries: [string, WireParameter][]): RequestParameters {
    return requestParameters(new Map(entries));
  }

  it('are those of any request where nothing is said', () => {
    expect(parameters()).toEqual(NO_PARAMETERS);
  });

  it('have a sequence by number or by name', () => {
    expect(parameters(['sequence_id', { type: 'int64', value: 7 }]).sequenceId).toBe(7);
    expect(parameters(['sequence_id', { type: 'string', value: 'seven' }]).sequenceId).toBe(
      'seven',
    );
    const large = 2n ** 60n;
    expect(parameters(['sequence_id', { type: 'int64', value: large }]).sequenceId).toBe(large);
  });

  it('mark the first and the last request of a sequence', () => {
    const marked = parameters(
      ['sequence_start', { type: 'bool', value: true }],
      ['sequence_end', { type: 'bool', value: true }],
    );

    expect(marked).toMatchObject({ sequenceStart: true, sequenceEnd: true });
  });

  it('take a priority in either type, as clients differ', () => {
    expect(parameters(['priority', { type: 'int64', value: 3 }]).priority).toBe(3);
    expect(parameters(['priority', { type: 'uint64', value: 3 }]).priority).toBe(3);
    expect(parameters(['priority', { type: 'int64', value: 0 }]).priority).toBe(0);
  });

  it('take a timeout in microseconds', () => {
    expect(parameters(['timeout', { type: 'int64', value: 1 }]).timeoutMs).toBe(0.001);
    expect(parameters(['timeout', { type: 'int64', value: 2n ** 62n }]).timeoutMs).toBe(
      2 ** 62 / 1000,
    );
  });

  it('hand on what means nothing to the server, with its type', () => {
    const { custom } = parameters(
      ['b', { type: 'bool', value: false }],
      ['i', { type: 'int64', value: 2n ** 60n }],
      ['s', { type: 'string', value: '' }],
      ['d', { type: 'double', value: 0.5 }],
      ['', { type: 'bool', value: true }],
      ['__proto__', { type: 'bool', value: true }],
    );

    expect([...custom]).toEqual([
      ['b', false],
      ['i', 2n ** 60n],
      ['s', ''],
      ['d', 0.5],
      ['', true],
      ['__proto__', true],
    ]);
  });

  it('leave the parameters of other requests alone', () => {
    parameters(['mine', { type: 'bool', value: true }], ['priority', { type: 'int64', value: 1 }]);

    expect(NO_PARAMETERS.custom.size).toBe(0);
    expect(NO_PARAMETERS.priority).toBe(0);
  });

  it.each([
    ['sequence_id', 'uint64', 'int64_param or string_param'],
    ['sequence_start', 'string', 'bool_param'],
    ['timeout', 'double', 'int64_param'],
    ['priority', 'double', 'int64_param or uint64_param'],
    ['triton_enable_empty_final_response', 'int64', 'bool_param'],
    ['timeout', undefined, 'int64_param'],
  ] as const)('refuse %s as %s', (key, type, expected) => {
    expect(() => parameters([key, { type, value: 1 }])).toThrow(
      new RuntimeError(
        'INVALID_ARGUMENT',
        `invalid value type for '${key}' parameter, expected ${expected}.`,
      ),
    );
  });
});
