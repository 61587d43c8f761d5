import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeepAlive } from './keep-alive.js';

/** Timers for which the process would stay. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

describe('what keeps the process alive', () => {
  let before = 0;
  let keepAlive: KeepAlive;

  beforeEach(() => {
    before = timers();
    keepAlive = new KeepAlive();
  });
  afterEach(() => keepAlive.end());

  it('does not before it is held, nor after the last has let go', () => {
    expect(timers()).toBe(before);
    keepAlive.hold();
    keepAlive.hold();
    keepAlive.release();
    expect(timers()).toBe(before + 1);

    keepAlive.release();

    expect(timers()).toBe(before);
  });

  it('does while work is under way, however that ends', async () => {
    let fail: (error: Error) => void = () => undefined;
    const work = keepAlive.during(new Promise<never>((_, reject) => (fail = reject)));
    expect(timers()).toBe(before + 1);

    fail(new Error('no'));

    await expect(work).rejects.toThrow('no');
    expect(timers()).toBe(before);
  });

  it('does not after its end', () => {
    keepAlive.hold();

    keepAlive.end();

    expect(timers()).toBe(before);
  });
});
