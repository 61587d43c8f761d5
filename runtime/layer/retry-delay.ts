// How long to wait before asking again: twice as long each time, up to a limit, and by chance between half of that and all of it, so
// that those who failed together do not come back together.

export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** `failures` so far, from 1; `random` from 0 to below 1. */
export function retryDelayMs(
  { initialMs, maxMs }: Backoff,
  failures: number,
  random: number,
): number {
  const longest = Math.min(maxMs, initialMs * 2 ** (failures - 1));
  return longest * (0.5 + random / 2);
}
