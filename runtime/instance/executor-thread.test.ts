import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { WorkerInput, WorkerOutput } from '../worker/protocol.js';
import { ExecutorThread, type ThreadTenant } from './executor-thread.js';

/** A Piscina whose worker answers when the test says so. */
const { FakePool } = vi.hoisted(() => ({ FakePool: { made: [] as unknown[] } }));

interface Task {
  readonly input: WorkerInput;
  readonly transferList: readonly unknown[];
  readonly resolve: (output: WorkerOutput) => void;
  readonly reject: (error: unknown) => void;
}

interface Pool extends EventEmitter {
  readonly threads: unknown[];
  readonly options: Record<string, unknown>;
  readonly tasks: Task[];
  destroyed: boolean;
}

vi.mock('piscina', () => ({
  Piscina: class extends EventEmitter implements Pool {
    readonly tasks: Task[] = [];
    readonly threads: unknown[] = [{}];
    destroyed = false;

    constructor(readonly options: Record<string, unknown>) {
      super();
      FakePool.made.push(this);
    }

    run(input: WorkerInput, { transferList }: { transferList: unknown[] }): Promise<WorkerOutput> {
      return new Promise((resolve, reject) =>
        this.tasks.push({ input, transferList, resolve, reject }),
      );
    }

    destroy(): Promise<void> {
      this.destroyed = true;
      return Promise.resolve();
    }
  },
}));

const DONE: WorkerOutput = { kind: 'done' };
const RELEASE: WorkerInput = { kind: 'release', session: 1 };

let thread: ExecutorThread;
let pool: Pool;
let deaths: string[];
/** Who was told that the thread is free, in the order in which it happened. */
let told: string[];

beforeEach(() => {
  deaths = [];
  thread = new ExecutorThread({ ortLogLevel: 3 }, ({ message }) => deaths.push(message));
  pool = FakePool.made.at(-1) as Pool;
  told = [];
});

function waiter(name: string, then: () => void = () => undefined): { threadFree(): void } {
  return {
    threadFree: () => {
      told.push(name);
      then();
    },
  };
}

describe('ExecutorThread', () => {
  it('is one thread, which is told its settings', () => {
    expect(pool.options).toMatchObject({
      minThreads: 1,
      maxThreads: 1,
      workerData: { ortLogLevel: 3 },
    });
  });

  it('hands on what is asked and what is answered', async () => {
    const answer = thread.run(RELEASE);
    pool.tasks[0]!.resolve(DONE);

    expect(await answer).toBe(DONE);
    expect(pool.tasks[0]).toMatchObject({ input: RELEASE, transferList: [] });
  });

  it('hands the memory of a batch over', () => {
    const buffer = new ArrayBuffer(8);

    void thread.run({ kind: 'run', session: 1, buffer, inputs: [] });

    expect(pool.tasks[0]!.transferList).toEqual([buffer]);
  });

  it('is busy until everything is answered', async () => {
    expect(thread.busy).toBe(false);

    const answers = [thread.run(RELEASE), thread.run(RELEASE)];
    expect(thread.busy).toBe(true);
    pool.tasks[0]!.resolve(DONE);
    await answers[0];
    expect(thread.busy).toBe(true);
    pool.tasks[1]!.resolve(DONE);
    await answers[1];

    expect(thread.busy).toBe(false);
  });

  it('answers BACKEND_LOST when it dies under a task, keeps the cause, and is free again', async () => {
    const cause = new Error('worker exited with code: 1');
    const answer = thread.run(RELEASE);
    pool.emit('workerDestroy');
    pool.tasks[0]!.reject(cause);

    await expect(answer).rejects.toMatchObject({
      code: 'BACKEND_LOST',
      message: 'executor thread failed: worker exited with code: 1',
      cause,
    });
    expect(thread.busy).toBe(false);
    await vi.waitFor(() => expect(deaths).toEqual(['worker exited with code: 1']));
  });

  it('ends its thread', async () => {
    await thread.close();

    expect(pool.destroyed).toBe(true);
  });

  // Piscina emits an error for a thread that threw between two tasks, before it replaces it; unheard, it would end the process.
  it('tells why it died when there was nothing to do', async () => {
    pool.emit('workerDestroy');
    pool.emit('error', new Error('out of memory'));
    await vi.waitFor(() => expect(deaths).toEqual(['out of memory']));
  });

  it('tells of a thread that ended by itself', async () => {
    pool.emit('workerDestroy');
    await vi.waitFor(() => expect(deaths).toEqual(['it ended by itself']));
  });

  it('starts another pool when the one it has starts no worker any more', async () => {
    const lost = thread.run(RELEASE);
    pool.threads.length = 0;
    pool.emit('workerDestroy');
    await vi.waitFor(() => expect(pool.destroyed).toBe(true));
    pool.tasks[0]!.reject(new Error('terminated'));
    await expect(lost).rejects.toMatchObject({ code: 'BACKEND_LOST' });

    const answer = thread.run(RELEASE);
    const next = FakePool.made.at(-1) as Pool;
    next.tasks[0]!.resolve(DONE);

    expect(next).not.toBe(pool);
    expect(await answer).toBe(DONE);
  });

  it('tells its tenants at once', async () => {
    const lost: unknown[] = [];
    const tenant: ThreadTenant = {
      pace: 'unknown',
      canMove: true,
      threadLost: (which) => lost.push(which),
      moveTo: () => Promise.resolve(),
    };
    thread.tenants.add(tenant);

    pool.emit('workerDestroy');

    expect(lost).toEqual([thread]);
    await vi.waitFor(() => expect(deaths).toHaveLength(1));
  });

  it('tells of no death when it is closed', async () => {
    const closing = thread.close();
    pool.emit('workerDestroy');
    await closing;
    await new Promise((resolve) => setImmediate(resolve));

    expect(deaths).toEqual([]);
  });
});

describe('who waits for the thread', () => {
  async function runOnce(fail = false): Promise<void> {
    const answer = thread.run(RELEASE).catch(() => undefined);
    const { resolve, reject } = pool.tasks.at(-1)!;
    if (fail) reject(new Error('died'));
    else resolve(DONE);
    await answer;
  }

  it('is told when it is free, the one who waits longest first', async () => {
    thread.await(waiter('first'));
    thread.await(waiter('second'));

    await runOnce();

    expect(told).toEqual(['first', 'second']);
  });

  it('is told once, however often it asked', async () => {
    const asking = waiter('first');
    thread.await(asking);
    thread.await(asking);

    await runOnce();
    await runOnce();

    expect(told).toEqual(['first']);
  });

  it('is told when the thread was freed by an error', async () => {
    thread.await(waiter('first'));

    await runOnce(true);

    expect(told).toEqual(['first']);
  });

  it('is told while the thread is free, and not when another has taken it', async () => {
    thread.await(waiter('first', () => void thread.run(RELEASE)));
    thread.await(waiter('second', () => expect(thread.busy).toBe(false)));

    await runOnce();
    expect(told).toEqual(['first']);
    pool.tasks.at(-1)!.resolve(DONE);
    await Promise.resolve();
    await Promise.resolve();

    expect(told).toEqual(['first', 'second']);
  });

  it('waits behind the others when it has had its turn', async () => {
    const first = waiter('first', () => {
      void thread.run(RELEASE);
      thread.await(first);
    });
    thread.await(first);
    thread.await(waiter('second', () => void thread.run(RELEASE)));

    await runOnce();
    for (let turn = 0; turn < 2; turn++) {
      pool.tasks.at(-1)!.resolve(DONE);
      for (let step = 0; step < 5; step++) await Promise.resolve();
    }

    expect(told).toEqual(['first', 'second', 'first']);
  });

  it('waits for the next time when it asks again at once', async () => {
    const asking = waiter('first', () => thread.await(asking));
    thread.await(asking);

    await runOnce();
    await runOnce();

    expect(told).toEqual(['first', 'first']);
  });

  it('is not told while another task is under way', async () => {
    const other = thread.run(RELEASE);
    thread.await(waiter('first'));

    await runOnce();
    expect(told).toEqual([]);
    pool.tasks[0]!.resolve(DONE);
    await other;

    expect(told).toEqual(['first']);
  });
});
