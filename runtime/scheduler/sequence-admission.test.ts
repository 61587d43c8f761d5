import { describe, expect, it } from 'vitest';
import { NO_PARAMETERS } from '../core/inference.js';
import { aBatchedConfig, aRequest } from '../testing/build.js';
import { sequenceProblem } from './sequence-admission.js';
import { formatSequenceId, sequenceIdBytes } from './sequence-id.js';

const configOf = (type: string): ReturnType<typeof aBatchedConfig> =>
  aBatchedConfig(
    `sequence_batching { control_input { name: "ID" control { kind: CONTROL_SEQUENCE_CORRID data_type: ${type} } } }`,
  );

function problemOf(
  sequenceId: number | bigint | string,
  { type = 'TYPE_UINT64', rows = 1, isKnown = false, sequenceStart = false } = {},
): string | undefined {
  const parameters = { ...NO_PARAMETERS, sequenceId, sequenceStart };
  return sequenceProblem(configOf(type), aRequest({ rows, parameters }), isKnown)?.message;
}

describe('sequenceProblem', () => {
  it.each([
    ['a first step', problemOf(5, { sequenceStart: true })],
    ['a step of a sequence that is known', problemOf(5, { isKnown: true })],
    ['an id as text', problemOf('a', { type: 'TYPE_STRING', isKnown: true })],
  ])('has nothing against %s', (_what, problem) => {
    expect(problem).toBeUndefined();
  });

  it.each([
    [
      problemOf(0, { sequenceStart: true }),
      "inference request to model 'm' must specify a non-zero or non-empty correlation ID",
    ],
    [
      problemOf('', { type: 'TYPE_STRING', sequenceStart: true }),
      "inference request to model 'm' must specify a non-zero or non-empty correlation ID",
    ],
    [
      problemOf('\0a', { type: 'TYPE_STRING', sequenceStart: true }),
      "inference request to model 'm' must specify a non-zero or non-empty correlation ID",
    ],
    [
      problemOf(-1),
      "inference request for sequence 18446744073709551615 to model 'm' must specify the START flag on the first request " +
        'of the sequence',
    ],
    [
      problemOf(5, { rows: 2, isKnown: true }),
      "inference request to model 'm' must specify batch-size 1 due to requirements of sequence batcher",
    ],
    [
      problemOf('a', { sequenceStart: true }),
      "[request id: <id_unknown>] sequence batching control 'ID' data-type is 'BYTES', but model 'm' expects 'UINT64'",
    ],
    [
      problemOf(5, { type: 'TYPE_STRING', sequenceStart: true }),
      "[request id: <id_unknown>] sequence batching control 'ID' data-type is 'UINT64', but model 'm' expects 'BYTES'",
    ],
  ])('says %s', (problem, text) => {
    expect(problem).toBe(text);
  });
});

describe('the id as a tensor', () => {
  const bytesOf = (
    id: number | bigint | string,
    dataType: 'UINT64' | 'INT32' | 'BYTES',
  ): number[] => [...sequenceIdBytes(id, { kind: 'CORRID', name: 'ID', dataType })];

  it('is cut to the low bytes of its type', () => {
    expect(bytesOf(0x1_0000_0002, 'UINT64')).toEqual([2, 0, 0, 0, 1, 0, 0, 0]);
    expect(bytesOf(0x1_0000_0002, 'INT32')).toEqual([2, 0, 0, 0]);
    expect(bytesOf(2n ** 64n - 1n, 'INT32')).toEqual([255, 255, 255, 255]);
  });

  it('is preceded by its length as text', () => {
    expect(bytesOf('é', 'BYTES')).toEqual([2, 0, 0, 0, 0xc3, 0xa9]);
    expect(formatSequenceId('é')).toBe('é');
  });
});
