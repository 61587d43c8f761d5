// What becomes of instances whose thread died: they are made anew on the thread that takes its place. A model whose batches keep
// ending threads is given up, because each time those that share the thread pay for it.

import type { Clock } from '../core/clock.js';
import { RuntimeError } from '../core/errors.js';
import { ThreadDied } from './executor-thread.js';

/** Deaths of threads, each within CALM_MS of the recovery from the one before, after which a model is given up. */
const MOST_DEATHS = 3;
const CALM_MS = 10_000;

/** What can be made anew. */
export interface Restartable {
  /** @throws RuntimeError; ThreadDied when the thread died of that */
  restart(): Promise<void>;
}

export interface InstanceRecoveryParts {
  readonly modelName: string;
  readonly clock: Clock;
  /** The instance runs again. */
  readonly recovered: () => void;
  /** Nothing more will be tried; told once. */
  readonly gaveUp: (error: RuntimeError) => void;
}

export class InstanceRecovery {
  readonly #parts: InstanceRecoveryParts;
  #deaths = 0;
  /** When it last died, or was there again after that. */
  #calmFrom = -Infinity;
  #isOver = false;

  constructor(parts: InstanceRecoveryParts) {
    this.#parts = parts;
  }

  lost(instance: Restartable): void {
    this.#parts.clock.defer(() => void this.#restart(instance));
  }

  /** A batch of the model has ended its thread. */
  death(error: RuntimeError): void {
    const now = this.#parts.clock.now();
    this.#deaths = now - this.#calmFrom < CALM_MS ? this.#deaths + 1 : 1;
    this.#calmFrom = now;
    if (this.#deaths >= MOST_DEATHS)
      this.#giveUp(`its executor thread died ${this.#deaths} times in a row`, error);
  }

  /** The model is being taken down. */
  stop(): void {
    this.#isOver = true;
  }

  // ---- details below; callers need not read ----

  async #restart(instance: Restartable): Promise<void> {
    if (this.#isOver) return;
    try {
      await instance.restart();
    } catch (thrown) {
      const error = RuntimeError.from(thrown);
      if (error.code === 'BACKEND_LOST') {
        // Between two steps of it somebody else may have ended the thread; then there is no such session.
        if (error instanceof ThreadDied) this.death(error);
        this.lost(instance);
      } else {
        this.#giveUp('its executor thread died, and it could not be loaded again', error);
      }
      return;
    }
    this.#calmFrom = this.#parts.clock.now();
    this.#parts.recovered();
  }

  #giveUp(what: string, error: RuntimeError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const text = `model '${this.#parts.modelName}' is no longer served: ${what} (${error.message})`;
    this.#parts.gaveUp(new RuntimeError('BACKEND_LOST', text, { cause: error }));
  }
}
