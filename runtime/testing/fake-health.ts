// The health of a server, as a test wants it.

import type { ServerHealth } from '../frontend/server-health.js';

export class FakeHealth implements ServerHealth {
  ready = true;
  readonly #changed = new Set<() => void>();
  readonly #streams = new Set<() => void>();
  #stopping = false;

  isReady(): boolean {
    return this.ready;
  }

  isStopping(): boolean {
    return this.#stopping;
  }

  onChange(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => this.#changed.delete(listener);
  }

  onStreamsEnd(listener: () => void): () => void {
    this.#streams.add(listener);
    return () => this.#streams.delete(listener);
  }

  get listeners(): number {
    return this.#changed.size + this.#streams.size;
  }

  /** The server begins to stop. */
  stop(): void {
    this.ready = false;
    this.#stopping = true;
    for (const listener of [...this.#changed]) listener();
  }

  /** Connections are about to be closed. */
  endStreams(): void {
    for (const listener of [...this.#streams]) listener();
  }
}
