// A clock that stands still until it is told to go on.

import type { Clock, Timer } from '../core/clock.js';

interface Waiting {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

export class FakeClock implements Clock {
  #now = 1000;
  #order = 0;
  readonly #timers = new Set<Waiting>();
  #deferred: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  setTimer(fn: () => void, delayMs: number): Timer {
    const timer: Waiting = { at: this.#now + Math.max(delayMs, 0), order: this.#order++, fn };
    this.#timers.add(timer);
    return timer;
  }

  clearTimer(timer: Timer): void {
    this.#timers.delete(timer as Waiting);
  }

  defer(fn: () => void): void {
    this.#deferred.push(fn);
  }

  /** Timers that have been set and neither fired nor cleared. */
  get timerCount(): number {
    return this.#timers.size;
  }

  get deferredCount(): number {
    return this.#deferred.length;
  }

  /** Runs what was deferred, and what that defers, at most `rounds` times over. */
  runDeferred(rounds = 10): void {
    for (let round = 0; round < rounds && this.#deferred.length > 0; round++) {
      const due = this.#deferred;
      this.#deferred = [];
      for (const fn of due) fn();
    }
  }

  /** Lets time pass, firing timers in their order, each at its time, and what they defer. */
  advance(ms: number): void {
    this.runDeferred();
    const until = this.#now + ms;
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.fn();
      this.runDeferred();
    }
    this.#now = until;
    this.runDeferred();
  }

  /** Lets time pass in which nothing gets its turn, as when the event loop is busy. */
  stall(ms: number): void {
    this.#now += ms;
  }

  #next(until: number): Waiting | undefined {
    return [...this.#timers]
      .filter(({ at }) => at <= until)
      .sort((a, b) => a.at - b.at || a.order - b.order)[0];
  }
}
