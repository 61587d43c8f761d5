// Quantiles of the latest durations, within 3 % of the truth, in fixed memory: counts in ranges that grow with the values
// (log-linear, as in HdrHistogram), in two windows of which the older is forgotten when the newer is full.

/** Ranges per power of two: what makes a range at most 1/32 of its values. */
const STEPS = 32;
const RANGES = STEPS * 27;
const LARGEST = 2 ** 31 - 1;
const WINDOW_MS = 30_000;

export class LatencyDigest {
  count = 0;
  /** Microseconds. */
  sum = 0;
  #current = new Uint32Array(RANGES);
  #previous = new Uint32Array(RANGES);
  #windowFrom = 0;

  /** `now` on any clock, the same for every call. */
  add(microseconds: number, now: number): void {
    this.#rotate(now);
    this.count++;
    this.sum += microseconds;
    this.#current[rangeOf(microseconds)]!++;
  }

  /** Of the last 30 to 60 seconds, in microseconds; NaN when there was nothing. `fraction` from 0 to 1. */
  quantile(fraction: number, now: number): number {
    this.#rotate(now);
    let total = 0;
    for (let range = 0; range < RANGES; range++) total += this.#at(range);
    if (total === 0) return NaN;
    let left = Math.max(1, Math.ceil(fraction * total));
    let range = 0;
    while ((left -= this.#at(range)) > 0) range++;
    return middleOf(range);
  }

  // ---- details below; callers need not read ----

  #at(range: number): number {
    return this.#current[range]! + this.#previous[range]!;
  }

  #rotate(now: number): void {
    const age = now - this.#windowFrom;
    if (age < WINDOW_MS) return;
    [this.#previous, this.#current] = [this.#current, this.#previous];
    this.#current.fill(0);
    if (age >= 2 * WINDOW_MS) this.#previous.fill(0);
    this.#windowFrom = now;
  }
}

/** Values below 32 have a range each; above, each power of two has 32. */
function rangeOf(value: number): number {
  const whole = Math.min(Math.max(Math.round(value), 0), LARGEST);
  if (whole < STEPS) return whole;
  const shift = 26 - Math.clz32(whole);
  return shift * STEPS + (whole >>> shift);
}

function middleOf(range: number): number {
  if (range < 2 * STEPS) return range;
  const shift = Math.floor(range / STEPS) - 1;
  const from = (range - shift * STEPS) * 2 ** shift;
  return from + 2 ** shift / 2;
}
