import { describe, expect, it } from 'vitest';
import { settle } from '../testing/gated-loads.js';
import { Turns } from './turns.js';

describe('Turns', () => {
  it('lets the operations of a name run one after the other, whatever becomes of them', async () => {
    const turns = new Turns();
    const log: string[] = [];
    let fail: (error: Error) => void = () => undefined;

    const first = turns.take('m', () => {
      log.push('first');
      return new Promise((_, reject) => (fail = reject));
    });
    const second = turns.take('m', () => Promise.resolve(void log.push('second')));
    await settle();
    expect(log).toEqual(['first']);
    fail(new Error('no'));

    await expect(first).rejects.toThrow('no');
    await second;
    expect(log).toEqual(['first', 'second']);
  });

  it('does not hold up other names, and knows those that are under way', async () => {
    const turns = new Turns();
    let end = (): void => undefined;

    const held = turns.take('m', () => new Promise((resolve) => (end = resolve)));
    await turns.take('n', () => Promise.resolve());

    expect(turns.names()).toEqual(['m']);
    end();
    await held;
    expect(turns.names()).toEqual([]);
  });
});
