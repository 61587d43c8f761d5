// Whether a process grows: resident memory, window by window, against what it was when it had warmed up.

import { median } from '../median.js';

export const WINDOW_SECONDS = 30;
/** The first window after the first minute is what later ones are held against. */
const BASE_WINDOW = 2;
const MOST_GROWTH = 0.05;

/** One median for every whole window of samples that were taken once a second. */
export function windowMedians(samples: readonly number[]): number[] {
  const windows = Math.floor(samples.length / WINDOW_SECONDS);
  return Array.from({ length: windows }, (_, index) =>
    median(samples.slice(index * WINDOW_SECONDS, (index + 1) * WINDOW_SECONDS)),
  );
}

/** Share by which the last window exceeds the base; undefined while there is none after it. */
export function growthOf(windows: readonly number[]): number | undefined {
  const base = windows[BASE_WINDOW];
  return base === undefined || windows.length <= BASE_WINDOW + 1
    ? undefined
    : windows.at(-1)! / base - 1;
}

export function isTooMuch(growth: number): boolean {
  return growth >= MOST_GROWTH;
}
