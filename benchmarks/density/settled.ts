import { setTimeout as sleep } from 'node:timers/promises';

/** Allocators and garbage collectors give memory back a moment after it has become free. */
const SETTLE_MS = 3_500;

export function settled(): Promise<void> {
  return sleep(SETTLE_MS);
}
