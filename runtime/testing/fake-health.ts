// The health of a server, as a test wants it.

import type { ServerHealth } from '../frontend/server-health.js';

export class FakeHealth implements ServerHealth {
  ready = true;
  readonly #listeners = new Set<() => void>();

  isReady(): boolean {
    return this.ready;
  }

  onStopping(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** The server begins to stop. */
  stop(): void {
    this.ready = false;
    for (const listener of this.#listeners) listener();
  }
}
