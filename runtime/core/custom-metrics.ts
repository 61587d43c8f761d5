// What the code of a model counts beside what the server counts of every model, as plain numbers that are read when metrics are
// scraped. Names and their number have been checked where they come from.

/** What has changed since the last update. */
export type MetricUpdate = { readonly name: string; readonly help: string } & MetricChange;

type MetricChange =
  | { readonly type: 'counter'; readonly add: number }
  | { readonly type: 'gauge'; readonly value: number }
  | {
      readonly type: 'histogram';
      readonly bounds: readonly number[];
      /** By bucket; one more than there are bounds. */
      readonly counts: readonly number[];
      readonly sum: number;
    };

export type CustomMetric = { readonly name: string; readonly help: string } & (
  | { readonly type: 'counter' | 'gauge'; value: number }
  | {
      readonly type: 'histogram';
      readonly bounds: readonly number[];
      readonly counts: number[];
      sum: number;
    }
);

export class CustomMetrics {
  readonly #metrics = new Map<string, CustomMetric>();

  get all(): Iterable<CustomMetric> {
    return this.#metrics.values();
  }

  /** Counters and histograms add up; a gauge is what was said last. */
  update(change: MetricUpdate): void {
    let metric = this.#metrics.get(change.name);
    if (!metric) this.#metrics.set(change.name, (metric = begun(change)));
    if (change.type === 'histogram' && metric.type === 'histogram') {
      change.counts.forEach((count, bucket) => (metric.counts[bucket]! += count));
      metric.sum += change.sum;
    } else if (change.type === 'counter' && metric.type === 'counter') metric.value += change.add;
    else if (change.type === 'gauge' && metric.type === 'gauge') metric.value = change.value;
  }
}

// ---- details below; callers need not read ----

function begun({ name, help, ...change }: MetricUpdate): CustomMetric {
  if (change.type !== 'histogram') return { name, help, type: change.type, value: 0 };
  const { bounds } = change;
  const counts = Array.from({ length: bounds.length + 1 }, () => 0);
  return { name, help, type: 'histogram', bounds, counts, sum: 0 };
}
