// From the start of the server to its end: whether it is ready, and the steps that stop it, in the reverse order of what was
// started. Stopping begins with saying so: readiness turns false at once, and for the drain delay everything is served as
// before, so that balancers and DNS learn of it before a connection is refused.

import type { Clock } from './core/clock.js';
import { RuntimeError } from './core/errors.js';
import type { Log } from './core/log.js';
import type { ServerHealth } from './frontend/server-health.js';

interface Step {
  readonly name: string;
  readonly stop: () => Promise<void>;
}

export interface ServerLifecycleParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Between the word that the server stops and the first step of it. */
  readonly drainDelayMs: number;
  /** Asked while the server runs. */
  readonly areModelsReady: () => boolean;
}

export class ServerLifecycle implements ServerHealth {
  readonly #parts: ServerLifecycleParts;
  readonly #steps: Step[] = [];
  readonly #changed = new Set<() => void>();
  readonly #streams = new Set<() => void>();
  #isStarted = false;
  #stopping: Promise<void> | undefined;

  constructor(parts: ServerLifecycleParts) {
    this.#parts = parts;
  }

  isReady(): boolean {
    return this.#isStarted && !this.isStopping() && this.#parts.areModelsReady();
  }

  isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  onChange(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => this.#changed.delete(listener);
  }

  onStreamsEnd(listener: () => void): () => void {
    this.#streams.add(listener);
    return () => this.#streams.delete(listener);
  }

  /** Everything is up. */
  started(): void {
    this.#isStarted = true;
    for (const listener of [...this.#changed]) listener();
  }

  /** `stop` undoes what has just been started. A step that fails is told in the log, and the next one is taken. */
  onStop(name: string, stop: () => Promise<void>): void {
    this.#steps.push({ name, stop });
  }

  /** Streams that no message ends come to an end; no new ones can come. */
  endStreams(): void {
    for (const listener of [...this.#streams]) listener();
  }

  /** Safe to call again; the second call waits for the first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  // ---- details below; callers need not read ----

  async #stopAll(): Promise<void> {
    // Not before `#stopping` is set: listeners ask isStopping().
    await Promise.resolve();
    for (const listener of [...this.#changed]) listener();
    if (this.#isStarted) await this.#drainDelay();
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step.stop();
      } catch (error) {
        const text = `stopping failed: ${RuntimeError.from(error).message}`;
        this.#parts.log.error({ step: step.name }, text);
      }
    }
  }

  #drainDelay(): Promise<void> {
    const { clock, drainDelayMs, log } = this.#parts;
    if (drainDelayMs === 0) return Promise.resolve();
    log.info({}, `not ready from now on; requests are served for another ${drainDelayMs / 1000} s`);
    return new Promise((resolve) => void clock.setTimer(resolve, drainDelayMs));
  }
}
