// A clock that stands still until it is told to go on.

import type { Clock } from '../clock.js';

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

export class FakeClock implements Clock {
  #now = 1000;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, fn: () => void): () => void {
    const timer = { at: this.#now + delayMs, fn };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers that have been set and neither fired nor cancelled. */
  get timerCount(): number {
    return this.#timers.size;
  }

  /** Lets time pass: fires the timers in their order, and after each lets everything happen that waits for nothing else. */
  async advance(ms: number): Promise<void> {
    await settled();
    const until = this.#now + ms;
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#timers.delete(next);
      this.#now = next.at;
      next.fn();
      await settled();
    }
    this.#now = until;
  }

  #next(until: number): Timer | undefined {
    return [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
  }
}

/** When all promises that wait for nothing but other promises have settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
