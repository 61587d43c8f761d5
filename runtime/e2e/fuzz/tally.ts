// How many requests of each kind ended how.

export class Tally {
  readonly #counts = new Map<string, Map<string, number>>();

  count(kind: string, label: string): void {
    let labels = this.#counts.get(kind);
    if (!labels) this.#counts.set(kind, (labels = new Map<string, number>()));
    labels.set(label, (labels.get(label) ?? 0) + 1);
  }

  get kinds(): ReadonlySet<string> {
    return new Set(this.#counts.keys());
  }

  /** All of this label, of every kind. */
  of(label: string): number {
    return [...this.#counts.values()].reduce((sum, labels) => sum + (labels.get(label) ?? 0), 0);
  }

  /** A line per kind, and one for all. */
  toString(): string {
    const lines = [...this.#counts].map(([kind, labels]) => line(kind, labels));
    const all = new Map<string, number>();
    for (const labels of this.#counts.values())
      for (const [label, count] of labels) all.set(label, (all.get(label) ?? 0) + count);
    return [...lines.sort(), line('all', all)].join('\n');
  }
}

function line(kind: string, labels: ReadonlyMap<string, number>): string {
  const total = [...labels.values()].reduce((sum, count) => sum + count, 0);
  const parts = [...labels].sort(([, a], [, b]) => b - a).map(([label, n]) => `${label} ${n}`);
  return `${String(total).padStart(6)} ${kind.padEnd(42)} ${parts.join(', ')}`;
}
