import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ExecutorThreads } from './executor-threads.js';

const pools = vi.hoisted(() => ({ made: 0, destroyed: 0 }));

vi.mock('piscina', () => ({
  Piscina: class extends EventEmitter {
    constructor() {
      super();
      pools.made++;
    }

    destroy(): Promise<void> {
      pools.destroyed++;
      return Promise.resolve();
    }
  },
}));

beforeEach(() => {
  pools.made = 0;
  pools.destroyed = 0;
});

function threadsOf(maxThreads: number): ExecutorThreads {
  return new ExecutorThreads(maxThreads, { ortLogLevel: 4 }, () => undefined);
}

describe('ExecutorThreads', () => {
  it('start no thread before it is needed', () => {
    threadsOf(8);

    expect(pools.made).toBe(0);
  });

  it('give each instance a thread of its own while there may be another', () => {
    const threads = threadsOf(2);

    const [a, b] = [threads.join([]), threads.join([])];

    expect(a).not.toBe(b);
    expect([threads.size, pools.made]).toEqual([2, 2]);
  });

  it('let instances share when there may be no other', () => {
    const threads = threadsOf(2);
    const [a, b] = [threads.join([]), threads.join([])];

    const third = threads.join([]);

    expect([a, b]).toContain(third);
    expect(third.instances).toBe(2);
    expect([threads.size, pools.made]).toEqual([2, 2]);
  });

  it('keep instances of one model apart where they can', () => {
    const threads = threadsOf(2);
    const [a, b] = [threads.join([]), threads.join([])];

    expect(threads.join([a])).toBe(b);
    expect(threads.join([b])).toBe(a);
  });

  it('take a thread that has become free before they start another', () => {
    const threads = threadsOf(8);
    const [a] = [threads.join([]), threads.join([])];

    threads.leave(a);

    expect(threads.join([])).toBe(a);
    expect(pools.made).toBe(2);
  });

  it('name no two sessions alike', () => {
    const threads = threadsOf(1);

    const ids = Array.from({ length: 100 }, () => threads.newSessionId());

    expect(new Set(ids).size).toBe(100);
  });

  it('end every thread, once', async () => {
    const threads = threadsOf(2);
    threads.join([]);
    threads.join([]);

    await threads.close();
    await threads.close();

    expect([pools.destroyed, threads.size]).toEqual([2, 0]);
  });
});
