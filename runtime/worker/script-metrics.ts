// The metrics of a TypeScript model, as its thread keeps them: what has changed is taken away and added up on the main thread, so
// that counters outlive a thread.

import type { MetricUpdate } from '../core/custom-metrics.js';
import { ModelError, type Counter, type Gauge, type Histogram, type Metrics } from './model-api.js';
import { shortText } from './short-text.js';

/** Names of one model, and bounds of one histogram. */
const MOST_METRICS = 64;
const MOST_BOUNDS = 32;
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/;
/** The server's own, and what a histogram makes of its name. */
const TAKEN = /^(?:nv_|inferd_|process_|nodejs_)|_(?:bucket|sum|count)$/;

export class ScriptMetrics implements Metrics {
  readonly #metrics = new Map<string, Changing>();
  readonly #changed: () => void;
  #isChanged = false;

  /** `changed` is called once after each `take` that another change follows. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  counter(name: string, help = ''): Counter {
    return this.#metric(
      name,
      'counter',
      (change) => new ChangingCounter(named(name, help), change),
    );
  }

  gauge(name: string, help = ''): Gauge {
    return this.#metric(name, 'gauge', (change) => new ChangingGauge(named(name, help), change));
  }

  histogram(name: string, bounds: readonly number[], help = ''): Histogram {
    checkBounds(name, bounds);
    return this.#metric(
      name,
      'histogram',
      (change) => new ChangingHistogram(named(name, help), bounds, change),
    );
  }

  /** What has changed since it was asked last. */
  take(): MetricUpdate[] {
    this.#isChanged = false;
    return [...this.#metrics.values()].flatMap((metric) => metric.take() ?? []);
  }

  // ---- details below; callers need not read ----

  #metric<Kind extends Changing>(
    name: string,
    type: Kind['type'],
    make: (change: () => void) => Kind,
  ): Kind {
    const known = this.#metrics.get(name);
    if (known?.type === type) return known as Kind;
    if (known) throw new ModelError(`metric '${name}' is a ${known.type}, not a ${type}`);
    if (!NAME.test(name) || TAKEN.test(name))
      throw new ModelError(`'${name}' cannot be the name of a metric of a model`);
    if (this.#metrics.size === MOST_METRICS)
      throw new ModelError(`a model has at most ${MOST_METRICS} metrics; '${name}' is one more`);
    const made = make(() => this.#change());
    this.#metrics.set(name, made);
    this.#change();
    return made;
  }

  #change(): void {
    if (this.#isChanged) return;
    this.#isChanged = true;
    this.#changed();
  }
}

// ---- details below; callers need not read ----

interface Named {
  readonly name: string;
  readonly help: string;
}

/** @throws nothing, whatever code without types gives */
function named(name: string, help: unknown): Named {
  return { name, help: shortText(help) };
}

interface Changing {
  readonly type: MetricUpdate['type'];
  take(): MetricUpdate | undefined;
}

class ChangingCounter implements Counter, Changing {
  readonly type = 'counter';
  readonly #named: Named;
  readonly #change: () => void;
  /** Undefined: told already. */
  #add: number | undefined = 0;

  constructor(named: Named, change: () => void) {
    this.#named = named;
    this.#change = change;
  }

  add(value = 1): void {
    checkNumber(this.#named, value);
    if (!(value >= 0))
      throw new ModelError(`counter '${this.#named.name}' cannot go back by ${value}`);
    this.#add = (this.#add ?? 0) + value;
    this.#change();
  }

  take(): MetricUpdate | undefined {
    const add = this.#add;
    this.#add = undefined;
    return add === undefined ? undefined : { ...this.#named, type: 'counter', add };
  }
}

class ChangingGauge implements Gauge, Changing {
  readonly type = 'gauge';
  readonly #named: Named;
  readonly #change: () => void;
  #value: number | undefined;

  constructor(named: Named, change: () => void) {
    this.#named = named;
    this.#change = change;
  }

  set(value: number): void {
    checkNumber(this.#named, value);
    this.#value = value;
    this.#change();
  }

  take(): MetricUpdate | undefined {
    const value = this.#value;
    this.#value = undefined;
    return value === undefined ? undefined : { ...this.#named, type: 'gauge', value };
  }
}

class ChangingHistogram implements Histogram, Changing {
  readonly type = 'histogram';
  readonly #named: Named;
  readonly #bounds: readonly number[];
  readonly #change: () => void;
  #counts: number[];
  #sum = 0;
  #isChanged = true;

  constructor(named: Named, bounds: readonly number[], change: () => void) {
    this.#named = named;
    this.#bounds = [...bounds];
    this.#change = change;
    this.#counts = this.#none();
  }

  observe(value: number): void {
    checkNumber(this.#named, value);
    const bucket = this.#bounds.findIndex((bound) => value <= bound);
    this.#counts[bucket < 0 ? this.#bounds.length : bucket]!++;
    this.#sum += value;
    this.#isChanged = true;
    this.#change();
  }

  take(): MetricUpdate | undefined {
    if (!this.#isChanged) return undefined;
    const [counts, sum] = [this.#counts, this.#sum];
    this.#counts = this.#none();
    this.#sum = 0;
    this.#isChanged = false;
    return { ...this.#named, type: 'histogram', bounds: this.#bounds, counts, sum };
  }

  #none(): number[] {
    return Array.from({ length: this.#bounds.length + 1 }, () => 0);
  }
}

/** Text in place of a number would make the whole of /metrics unreadable. */
function checkNumber({ name }: Named, value: unknown): void {
  if (typeof value === 'number') return;
  throw new ModelError(`metric '${name}' takes numbers, got a ${typeof value}`);
}

function checkBounds(name: string, bounds: readonly number[]): void {
  const isAscending = bounds.every(
    (bound, i) => Number.isFinite(bound) && (i === 0 || bound > bounds[i - 1]!),
  );
  if (bounds.length > 0 && bounds.length <= MOST_BOUNDS && isAscending) return;
  const text = `histogram '${name}' takes 1 to ${MOST_BOUNDS} ascending bounds, got [${bounds.join(',')}]`;
  throw new ModelError(text);
}
