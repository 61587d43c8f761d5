// One operation at a time for each name, in the order in which they came; different names side by side.

export class Turns {
  /** The last operation of each name; the next one waits for it. */
  readonly #last = new Map<string, Promise<void>>();

  /** Of what is under way. */
  names(): string[] {
    return [...this.#last.keys()];
  }

  /** Resolves, or rejects, with `operation`. An operation that waits for another one of its own name waits for ever. */
  async take(name: string, operation: () => Promise<void>): Promise<void> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.then(operation);
    // The next operation runs whether or not this one fails.
    const settled = mine.catch(() => undefined);
    this.#last.set(name, settled);
    try {
      await mine;
    } finally {
      if (this.#last.get(name) === settled) this.#last.delete(name);
    }
  }
}
