import { describe, expect, it } from 'vitest';
import { NO_PARAMETERS, type ParameterValue } from '../core/inference.js';
import { aRequest, aResponse, aTensor, rawTensor } from '../testing/build.js';
import { LastGoodAnswers, type AskedRows } from './last-good.js';

function asks(user: ParameterValue | undefined, outputs: string[] = [], rows = 1): AskedRows {
  const custom = new Map(user === undefined ? [] : [['user', user]]);
  const request = aRequest({
    parameters: { ...NO_PARAMETERS, custom },
    outputs: outputs.map((name) => ({ name, classCount: 0 })),
  });
  return { request, rows };
}

const answers = (): LastGoodAnswers =>
  new LastGoodAnswers({ keyParameter: 'user', maxAgeMs: 1000 });

describe('LastGoodAnswers', () => {
  it('finds the last answer for the same value of the parameter, and for no other', () => {
    const kept = answers();
    kept.keep(asks('ann'), aResponse({ modelVersion: '1' }), 0);
    kept.keep(asks('ann'), aResponse({ modelVersion: '2' }), 1);

    expect(kept.find(asks('ann'), 2)?.modelVersion).toBe('2');
    expect(kept.find(asks('bob'), 2)).toBeUndefined();
    expect(kept.size).toBe(1);
  });

  it('tells the number 7 from the text 7', () => {
    const kept = answers();
    kept.keep(asks(7), aResponse(), 0);

    expect(kept.find(asks('7'), 0)).toBeUndefined();
    expect(kept.find(asks(7), 0)).toBeDefined();
  });

  it('gives no answer that has other outputs than those that are asked for', () => {
    const kept = answers();
    kept.keep(asks('ann', ['a', 'b']), aResponse(), 0);

    expect(kept.find(asks('ann', ['a']), 0)).toBeUndefined();
    expect(kept.find(asks('ann', ['b', 'a']), 0)).toBeDefined();
  });

  it('gives no answer for more rows or fewer', () => {
    const kept = answers();
    kept.keep(asks('ann', [], 3), aResponse(), 0);

    expect(kept.find(asks('ann', [], 1), 0)).toBeUndefined();
    expect(kept.find(asks('ann', [], 3), 0)).toBeDefined();
  });

  it('neither keeps nor finds anything for requests without the parameter', () => {
    const kept = answers();
    kept.keep(asks(undefined), aResponse(), 0);

    expect(kept.size).toBe(0);
    expect(kept.find(asks(undefined), 0)).toBeUndefined();
  });

  it('gives no answer that is too old', () => {
    const kept = answers();
    kept.keep(asks('ann'), aResponse(), 0);

    expect(kept.find(asks('ann'), 1000)).toBeDefined();
    expect(kept.find(asks('ann'), 1001)).toBeUndefined();
  });

  it('keeps bytes of its own, without those that lay around them', () => {
    const kept = answers();
    const batch = new Uint8Array(1000).fill(1);
    const output = rawTensor('y', 'UINT8', { shape: [4], data: batch.subarray(8, 12) });
    kept.keep(asks('ann'), aResponse({ outputs: [output] }), 0);

    batch.fill(9);
    const { data } = kept.find(asks('ann'), 0)!.outputs[0]!;

    expect([...data]).toEqual([1, 1, 1, 1]);
    expect(data.buffer.byteLength).toBe(4);
  });

  it('forgets the oldest when there are too many', () => {
    const kept = answers();
    for (let user = 0; user <= 10_000; user++) kept.keep(asks(user), aResponse(), 0);

    expect(kept.size).toBe(10_000);
    expect(kept.find(asks(0), 0)).toBeUndefined();
    expect(kept.find(asks(1), 0)).toBeDefined();
  });

  it('forgets the oldest when they take too much, and keeps nothing that alone would', () => {
    const kept = answers();
    const sized = (megabytes: number): ReturnType<typeof aResponse> => {
      const data = new Uint8Array(megabytes * 2 ** 20);
      return aResponse({ outputs: [rawTensor('y', 'UINT8', { shape: [data.length], data })] });
    };
    for (const user of ['a', 'b', 'c']) kept.keep(asks(user), sized(30), 0);
    kept.keep(asks('d'), sized(64), 0);

    const found = ['a', 'b', 'c', 'd'].filter((user) => kept.find(asks(user), 0));

    expect(found).toEqual(['b', 'c']);
    expect(kept.bytes).toBeLessThan(61 * 2 ** 20);
  });

  it('drops the answer before rather than keeping it when the new one is too large', () => {
    const kept = answers();
    kept.keep(asks('ann'), aResponse({ outputs: [aTensor('y', [1], [1])] }), 0);
    const data = new Uint8Array(64 * 2 ** 20);
    const outputs = [rawTensor('y', 'UINT8', { shape: [data.length], data })];
    kept.keep(asks('ann'), aResponse({ outputs }), 0);

    expect(kept.find(asks('ann'), 0)).toBeUndefined();
    expect(kept.bytes).toBe(0);
  });
});
