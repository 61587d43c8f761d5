// PURE: shares of memory that come back, and that grow.

import type { ChurnFigures } from './measure-churn.js';

/** The round that later ones are held against; before it, pools are still filled for the first time. */
const BASE_ROUND = 1;
const LAST_ROUNDS = 3;

/** Of what loading took in the first round, the share that unloading has given back. */
export function givenBack({ stayingBytes, rounds }: ChurnFigures): number {
  const { loadedBytes, unloadedBytes } = rounds[0]!;
  return (loadedBytes - unloadedBytes) / (loadedBytes - stayingBytes);
}

/** Share by which the mean of the last three rounds exceeds the second; NaN while there are too few. */
export function growth({ rounds }: ChurnFigures, key: 'loadedBytes' | 'unloadedBytes'): number {
  const last = rounds.slice(BASE_ROUND + 1).slice(-LAST_ROUNDS);
  const mean = last.reduce((sum, round) => sum + round[key], 0) / last.length;
  return mean / (rounds[BASE_ROUND]?.[key] ?? NaN) - 1;
}
