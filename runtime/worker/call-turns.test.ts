import { describe, expect, it } from 'vitest';
import { CallTurns } from './call-turns.js';

describe('CallTurns', () => {
  it('lets so many go ahead at once, and the others in their order', async () => {
    const turns = new CallTurns(2);
    const begun: number[] = [];
    const begin = async (call: number): Promise<void> => {
      await turns.begin();
      begun.push(call);
    };
    const calls = [1, 2, 3, 4].map(begin);
    await Promise.all(calls.slice(0, 2));
    expect(begun).toEqual([1, 2]);

    turns.end();
    await calls[2];
    expect(begun).toEqual([1, 2, 3]);
    turns.end();
    await calls[3];
    expect(begun).toEqual([1, 2, 3, 4]);
    turns.end();
    turns.end();

    expect([turns.begin(), turns.begin()]).toEqual([undefined, undefined]);
    expect(turns.begin()).toBeInstanceOf(Promise);
  });
});
