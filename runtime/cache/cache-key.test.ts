import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_PARAMETERS, type InferenceRequest, type ParameterValue } from '../core/inference.js';
import { aRequest, aTensor, rawTensor } from '../testing/build.js';
import { cacheKey, identityOf } from './cache-key.js';

const IDENTITY = identityOf({ modelName: 'm', modelVersion: '1', content: 'files' });

function withCustom(entries: readonly [string, ParameterValue][]): Partial<InferenceRequest> {
  return { parameters: { ...NO_PARAMETERS, custom: new Map(entries) } };
}

function key(overrides: Partial<InferenceRequest> = {}): string {
  return cacheKey(IDENTITY, aRequest(overrides));
}

/** A request as short texts and small numbers make it: likely to be nearly another one. */
const NAME = fc.constantFrom('a', 'b', 'ab', '', '"', '",', '\\');
const DATA = fc.uint8Array({ maxLength: 4 });
const TENSOR = fc
  .record({
    name: NAME,
    dataType: fc.constantFrom('UINT8' as const, 'INT8' as const, 'BYTES' as const),
    shape: fc.array(fc.nat(3), { maxLength: 3 }),
    data: DATA,
  })
  .map(({ name, dataType, ...rest }) => rawTensor(name, dataType, rest));
const VALUE: fc.Arbitrary<ParameterValue> = fc.oneof(
  fc.boolean(),
  fc.constantFrom('true', '1', '', '0'),
  fc.constantFrom(1, 0, -0, 0.5, NaN),
  fc.constantFrom(1n, 0n),
);
// One without a prototype would not be strictly equal to one with it.
const OUTPUT = fc.record({ name: NAME, classCount: fc.nat(2) }, { noNullPrototype: true });
const REQUEST = fc.record({
  inputs: fc.array(TENSOR, { maxLength: 3 }),
  outputs: fc.array(OUTPUT, { maxLength: 2 }),
  custom: fc.uniqueArray(fc.tuple(NAME, VALUE), { maxLength: 2, selector: ([name]) => name }),
});

describe('cacheKey', () => {
  it('differs exactly where something that counts differs', () => {
    fc.assert(
      fc.property(REQUEST, REQUEST, (one, other) => {
        const keys = [one, other].map(({ inputs, outputs, custom }) =>
          key({ inputs, outputs, ...withCustom(custom) }),
        );
        const sorted = [one, other].map((request) => ({
          ...request,
          custom: [...request.custom].sort(([a], [b]) => (a < b ? -1 : 1)),
        }));

        expect(keys[0] === keys[1]).toBe(isSame(sorted[0], sorted[1]));
      }),
      { numRuns: 2000 },
    );
  });

  it.each<[string, Partial<InferenceRequest>]>([
    ['a byte', { inputs: [aTensor('INPUT0', [1, 2], [0, 2])] }],
    ['the shape of the same bytes', { inputs: [aTensor('INPUT0', [2, 1], [0, 1])] }],
    ['the name of an input', { inputs: [aTensor('INPUT1', [1, 2], [0, 1])] }],
    ['the outputs asked for', { outputs: [{ name: 'OUTPUT0', classCount: 0 }] }],
    ['how many classes', { outputs: [{ name: 'OUTPUT0', classCount: 2 }] }],
    ['a parameter of the model', withCustom([['threshold', 0.5]])],
    ['the type of a parameter', withCustom([['threshold', '0.5']])],
  ])('differs by %s', (_, difference) => {
    expect(key(difference)).not.toBe(key());
  });

  it('tells the type of the same bytes', () => {
    const data = new Uint8Array(8);
    const as = (type: 'INT32' | 'FP32'): string =>
      key({ inputs: [rawTensor('x', type, { shape: [2], data })] });

    expect(as('INT32')).not.toBe(as('FP32'));
  });

  it('tells where one input ends and the next begins', () => {
    const split = (...parts: number[][]): string =>
      key({
        inputs: parts.map((bytes, i) =>
          rawTensor(`${i}`, 'BYTES', { shape: [1], data: Uint8Array.from(bytes) }),
        ),
      });

    expect(split([1, 2], [3])).not.toBe(split([1], [2, 3]));
  });

  it('does not look at the id, the priority, the timeout, and what is answered at the door', () => {
    const timings = withCustom([['inferd_timings', true]]);

    expect(key({ id: 'x' })).toBe(key());
    expect(key({ parameters: { ...NO_PARAMETERS, priority: 1, timeoutMs: 5 } })).toBe(key());
    expect(key(timings)).toBe(key());
  });

  it('does not depend on the order of parameters', () => {
    const pairs: [string, ParameterValue][] = [
      ['a', 1],
      ['b', 2],
    ];

    expect(key(withCustom(pairs))).toBe(key(withCustom([...pairs].reverse())));
  });

  it.each([{ modelName: 'n' }, { modelVersion: '2' }, { content: 'other files' }])(
    'belongs to one version of one model: %o',
    (difference) => {
      const version = { modelName: 'm', modelVersion: '1', content: 'files' };
      const other = identityOf({ ...version, ...difference });

      expect(cacheKey(other, aRequest())).not.toBe(key());
    },
  );
});

function isSame(one: unknown, other: unknown): boolean {
  try {
    expect(one).toStrictEqual(other);
    return true;
  } catch {
    return false;
  }
}
