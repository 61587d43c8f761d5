import { describe, expect, it } from 'vitest';
import { endsWithin } from './ends-within.js';

describe('endsWithin', () => {
  it('is true for work that ends', async () => {
    expect(await endsWithin(Promise.resolve(), 60_000)).toBe(true);
  });

  it('is false for work that does not, and takes no notice of how it ends', async () => {
    let fail: (error: Error) => void = () => undefined;
    const work = new Promise<void>((_resolve, reject) => (fail = reject));

    expect(await endsWithin(work, 0)).toBe(false);
    fail(new Error('late'));
  });

  it('throws what the work throws', async () => {
    await expect(endsWithin(Promise.reject(new Error('no')), 60_000)).rejects.toThrow('no');
  });

  it('waits also when it may for longer than timers can', async () => {
    const work = new Promise<void>((resolve) => setImmediate(resolve));

    expect(await endsWithin(work, 1e12)).toBe(true);
  });
});
