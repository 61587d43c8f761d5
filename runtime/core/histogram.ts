// How often values fell into which range, as plain numbers.

export class Histogram {
  /** Upper ends of the ranges, each belonging to its range; ascending. What is above the last has a range of its own. */
  readonly bounds: readonly number[];
  /** By range; one longer than the bounds. */
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array<number>(bounds.length + 1).fill(0);
  }

  add(value: number): void {
    const { bounds } = this;
    let range = 0;
    while (range < bounds.length && value > bounds[range]!) range++;
    this.counts[range]!++;
    this.sum += value;
  }
}
