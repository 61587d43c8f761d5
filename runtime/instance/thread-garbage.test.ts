import { beforeEach, describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { FakeClock } from '../testing/fake-clock.js';
import type { WorkerOutput } from '../worker/protocol.js';
import { ThreadGarbage } from './thread-garbage.js';
import type { ExecutorThread } from './executor-thread.js';

let clock: FakeClock;
let garbage: ThreadGarbage;
/** Collections of the main thread. */
let here: number;

/** As much of a thread as is needed. */
class Thread {
  busy = false;
  collections = 0;
  answer: () => Promise<WorkerOutput> = () => Promise.resolve({ kind: 'done' });

  run(): Promise<WorkerOutput> {
    this.collections++;
    return this.answer();
  }

  release(sessions: number): void {
    for (let i = 0; i < sessions; i++) garbage.sessionReleased(this as unknown as ExecutorThread);
  }
}

beforeEach(() => {
  clock = new FakeClock();
  here = 0;
  garbage = new ThreadGarbage(clock, () => here++);
});

describe('ThreadGarbage', () => {
  it('is collected where many sessions were released, when that has been quiet for a second', () => {
    const [thread, other] = [new Thread(), new Thread()];

    thread.release(20);
    other.release(1);
    clock.advance(999);
    expect(thread.collections).toBe(0);
    clock.advance(1);

    expect([thread.collections, other.collections]).toEqual([1, 0]);
  });

  it('is left alone while sessions are still being released', () => {
    const thread = new Thread();

    for (let i = 0; i < 20; i++) {
      thread.release(1);
      clock.advance(500);
    }
    expect(thread.collections).toBe(0);
    clock.advance(1000);

    expect(thread.collections).toBe(1);
  });

  it('is left alone after a few', () => {
    const thread = new Thread();

    thread.release(5);
    clock.advance(60_000);

    expect(thread.collections).toBe(0);
  });

  it('waits until the thread is free', () => {
    const thread = new Thread();
    thread.busy = true;

    thread.release(20);
    clock.advance(3000);
    expect(thread.collections).toBe(0);
    thread.busy = false;
    clock.advance(1000);

    expect(thread.collections).toBe(1);
  });

  it('is collected again after many more', () => {
    const thread = new Thread();
    thread.release(20);
    clock.advance(5000);

    thread.release(10);
    clock.advance(5000);
    expect(thread.collections).toBe(1);
    thread.release(10);
    clock.advance(5000);

    expect(thread.collections).toBe(2);
  });

  it('is collected on the main thread after very many', () => {
    const [thread, other] = [new Thread(), new Thread()];

    thread.release(100);
    clock.advance(5000);
    expect(here).toBe(0);
    other.release(200);
    clock.advance(5000);
    other.release(1);
    clock.advance(5000);

    expect(here).toBe(1);
  });

  it('goes with a thread that dies of it', async () => {
    const thread = new Thread();
    thread.answer = () => Promise.reject(new RuntimeError('BACKEND_LOST', 'it died'));

    thread.release(20);
    clock.advance(60_000);
    await Promise.resolve();

    expect([thread.collections, clock.timerCount]).toEqual([1, 0]);
  });
});
