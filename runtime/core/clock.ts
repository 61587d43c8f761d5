// Time as a port: everything that waits or measures takes a Clock, so that tests can hold it still.

/** What `setTimer` returns; only good for `clearTimer` of the same clock. */
export type Timer = unknown;

export interface Clock {
  /** Monotonic milliseconds with a fraction; the zero point means nothing. */
  now(): number;
  /** Calls `fn` once after at least `delayMs`. Does not keep the process alive. Grain: about a millisecond. */
  setTimer(fn: () => void, delayMs: number): Timer;
  clearTimer(timer: Timer): void;
  /** Calls `fn` once when the events that are already here have been handled. */
  defer(fn: () => void): void;
}

/** The longest delay a timer takes (2^31 - 1 ms, about 25 days); longer ones are cut to it. */
export const MAX_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer: (fn, delayMs) => setTimeout(fn, Math.min(delayMs, MAX_TIMER_MS)).unref(),
  clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
  defer: (fn) => void setImmediate(fn),
};
