// Time as a port, so that tests can hold it still. A timer keeps the process alive: somebody awaits what it will do.

export interface Clock {
  /** Monotonic milliseconds with a fraction; the zero point means nothing. */
  now(): number;
  /** Calls `fn` once after at least `delayMs`; returns what cancels it. */
  after(delayMs: number, fn: () => void): () => void;
}

/** The longest delay a timer takes, about 25 days; longer ones are cut to it. */
const MAX_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, Math.min(delayMs, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
