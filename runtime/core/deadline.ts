// A deadline is a point on the clock's monotonic scale, in milliseconds. It is inherited, never extended.

export type Deadline = number;

export const NO_DEADLINE: Deadline = Infinity;

export function earliest(a: Deadline, b: Deadline): Deadline {
  return a < b ? a : b;
}
