// A thread that has nothing to do does not collect its garbage either, and what is left of released sessions keeps memory of ONNX
// Runtime with it. So, some time after many sessions were released, their threads are told to collect, and after very many the
// main thread does: with 900 of 1,000 small models unloaded that is 90 and 60 MB. A collection takes a few milliseconds (on the
// main thread some 20), so a few sessions are not worth it.

import type { Clock } from '../core/clock.js';
import { collectGarbage } from '../core/garbage.js';
import { ask } from './ask-thread.js';
import type { ExecutorThread } from './executor-thread.js';

/** Released sessions of one thread that make a collection worth its pause. */
const MANY = 16;
/** Released sessions of all threads that make one of the main thread worth it. */
const VERY_MANY = 256;
/** Without a release in between. */
const QUIET_MS = 1000;

export class ThreadGarbage {
  readonly #clock: Clock;
  readonly #released = new Map<ExecutorThread, number>();
  readonly #collectHere: () => void;
  #releasedInAll = 0;
  #lastReleaseAt = 0;
  #isArmed = false;

  /** `collectHere` is for tests. */
  constructor(clock: Clock, collectHere = collectGarbage) {
    this.#clock = clock;
    this.#collectHere = collectHere;
  }

  /** A session of the thread is gone. */
  sessionReleased(thread: ExecutorThread): void {
    this.#released.set(thread, (this.#released.get(thread) ?? 0) + 1);
    this.#releasedInAll++;
    this.#lastReleaseAt = this.#clock.now();
    this.#arm(QUIET_MS);
  }

  // ---- details below; callers need not read ----

  #arm(delayMs: number): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#clock.setTimer(() => this.#look(), delayMs);
  }

  #look(): void {
    this.#isArmed = false;
    const rest = this.#lastReleaseAt + QUIET_MS - this.#clock.now();
    if (rest > 0) {
      this.#arm(rest);
      return;
    }
    let isLeft = false;
    for (const [thread, count] of this.#released) {
      if (count < MANY) continue;
      if (thread.busy) isLeft = true;
      else void this.#collect(thread);
    }
    if (isLeft) this.#arm(QUIET_MS);
    if (this.#releasedInAll < VERY_MANY) return;
    this.#releasedInAll = 0;
    this.#collectHere();
  }

  async #collect(thread: ExecutorThread): Promise<void> {
    this.#released.delete(thread);
    try {
      await ask(thread, { kind: 'collect' }, 'done');
    } catch {
      // It died, which its tenants are told; there is nothing left to collect.
    }
  }
}
