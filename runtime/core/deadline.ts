// A deadline is a point on the clock's monotonic scale, in milliseconds. It is inherited, never extended.

export type Deadline = number;

export const NO_DEADLINE: Deadline = Infinity;

export function earliest(a: Deadline, b: Deadline): Deadline {
  return a < b ? a : b;
}

/** Clocks of two kinds and a timer's grain lie between a deadline and the failure that comes of it. */
const DEADLINE_GRAIN_MS = 2;

/** Whether what failed at `now` may have failed because that deadline passed. */
export function isDue(deadline: Deadline, now: number): boolean {
  return now >= deadline - DEADLINE_GRAIN_MS;
}
