// Figures as text, no finer than they are.

import type { Ratio } from '../median.js';

/** Median (lowest–highest). */
export function ratioText({ median, lowest, highest }: Ratio): string {
  return `${short(median)} (${short(lowest)}–${short(highest)})`;
}

export function milliseconds(ms: number): string {
  return ms.toPrecision(ms < 1 ? 2 : 3);
}

export function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function short(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}
