import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeClock } from '../testing/fake-clock.js';
import type { Pace } from './batch-pace.js';
import type { ExecutorThread, ThreadTenant } from './executor-thread.js';
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
  const settings = { ortLogLevel: 4 as const };
  return new ExecutorThreads({
    maxThreads,
    settings,
    clock: new FakeClock(),
    died: () => undefined,
  });
}

/** An instance that goes where it is told. */
class Tenant implements ThreadTenant {
  thread: ExecutorThread | undefined;
  canMove = true;

  constructor(
    readonly threads: ExecutorThreads,
    public pace: Pace = 'unknown',
  ) {}

  join(...siblings: Tenant[]): ExecutorThread {
    return (this.thread = this.threads.join(this, siblings));
  }

  threadLost(): void {
    throw new Error('no thread dies in these tests');
  }

  moveTo(thread: ExecutorThread): Promise<void> {
    this.threads.leave(this, this.thread!);
    thread.tenants.add(this);
    this.thread = thread;
    return Promise.resolve();
  }
}

describe('ExecutorThreads', () => {
  it('start no thread before it is needed', () => {
    threadsOf(8);

    expect(pools.made).toBe(0);
  });

  it('give each instance a thread of its own while there may be another', () => {
    const threads = threadsOf(2);

    const [a, b] = [new Tenant(threads).join(), new Tenant(threads).join()];

    expect(a).not.toBe(b);
    expect([threads.size, pools.made]).toEqual([2, 2]);
  });

  it('let instances share when there may be no other', () => {
    const threads = threadsOf(2);
    const [a, b] = [new Tenant(threads).join(), new Tenant(threads).join()];

    const third = new Tenant(threads).join();

    expect([a, b]).toContain(third);
    expect(third.tenants.size).toBe(2);
    expect([threads.size, pools.made]).toEqual([2, 2]);
  });

  it('keep instances of one model apart where they can', () => {
    const threads = threadsOf(2);
    const [a, b] = [new Tenant(threads), new Tenant(threads)];
    const [first, second] = [a.join(), b.join()];

    expect(new Tenant(threads).join(a)).toBe(second);
    expect(new Tenant(threads).join(b)).toBe(first);
  });

  it('take a thread that has become free before they start another', () => {
    const threads = threadsOf(8);
    const a = new Tenant(threads);
    const first = a.join();
    new Tenant(threads).join();

    threads.leave(a, first);

    expect(new Tenant(threads).join()).toBe(first);
    expect(pools.made).toBe(2);
  });

  it('part long batches from short ones when they are measured', async () => {
    const threads = threadsOf(2);
    const tenants = Array.from({ length: 6 }, () => new Tenant(threads));
    for (const tenant of tenants) tenant.join();
    const [slow, ...others] = tenants;

    slow!.pace = 'long';
    for (const other of others) other.pace = 'short';
    threads.paceChanged();
    await vi.waitFor(() => expect(slow!.thread!.tenants.size).toBe(1));

    expect(new Set(others.map(({ thread }) => thread)).size).toBe(1);
  });

  it('name no two sessions alike', () => {
    const threads = threadsOf(1);

    const ids = Array.from({ length: 100 }, () => threads.newSessionId());

    expect(new Set(ids).size).toBe(100);
  });

  it('end every thread, once', async () => {
    const threads = threadsOf(2);
    new Tenant(threads).join();
    new Tenant(threads).join();

    await threads.close();
    await threads.close();

    expect([pools.destroyed, threads.size]).toEqual([2, 0]);
  });
});
