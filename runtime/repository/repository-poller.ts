// Looks at the repositories again and again and has models loaded and unloaded as they change (poll mode). One look at a time;
// loading does not hold up the next look. A look that fails is told once and changes nothing.

import type { Clock, Timer } from '../core/clock.js';
import { RuntimeError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import { decidePoll, followAll, type FollowedModels } from './poll-decision.js';
import type { RepositoryState } from './repository-state.js';

/** After a look that saw a change the next one comes this soon. */
const LOOK_AGAIN_MS = 1000;
/** How long a change must have been the same; less than the above, as timers are not exact. */
const SETTLE_MS = 900;

export interface PollerParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly look: () => Promise<RepositoryState>;
  readonly follow: (name: string) => Promise<void>;
  readonly forget: (name: string) => Promise<void>;
}

export class RepositoryPoller {
  readonly #parts: PollerParts;
  readonly #intervalMs: number;
  #followed: FollowedModels = new Map();
  #isBlind = false;
  #timer: Timer;
  #looking: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(parts: PollerParts, intervalMs: number) {
    this.#parts = parts;
    this.#intervalMs = intervalMs;
  }

  /** Before the models are loaded: what is there now needs not be taken up again. @throws what the look throws */
  async prepare(): Promise<void> {
    this.#followed = followAll(await this.#parts.look());
  }

  start(): void {
    this.#lookIn(this.#intervalMs);
  }

  /** Resolves when no look is under way any more; what a look has set going is not waited for. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#parts.clock.clearTimer(this.#timer);
    await this.#looking;
  }

  // ---- details below; callers need not read ----

  #lookIn(ms: number): void {
    this.#timer = this.#parts.clock.setTimer(() => {
      this.#looking = this.#look();
    }, ms);
  }

  async #look(): Promise<void> {
    const at = this.#parts.clock.now();
    const state = await this.#state();
    if (this.#isStopped) return;
    const isSettling = state !== undefined && this.#act({ state, at });
    this.#lookIn(isSettling ? Math.min(this.#intervalMs, LOOK_AGAIN_MS) : this.#intervalMs);
  }

  /** Undefined when the look failed. */
  async #state(): Promise<RepositoryState | undefined> {
    const { look, log } = this.#parts;
    try {
      const state = await look();
      if (this.#isBlind) log.info({}, 'the model repositories can be read again');
      this.#isBlind = false;
      return state;
    } catch (thrown) {
      const { message } = RuntimeError.from(thrown);
      if (!this.#isBlind) log.error({}, `${message}; what serves goes on, changes are not seen`);
      this.#isBlind = true;
      return undefined;
    }
  }

  #act(seen: { state: RepositoryState; at: number }): boolean {
    const { follow, forget } = this.#parts;
    const { load, unload, followed, isSettling } = decidePoll(this.#followed, seen, SETTLE_MS);
    this.#followed = followed;
    for (const model of load) this.#begin(model, follow);
    for (const model of unload) this.#begin(model, forget);
    return isSettling;
  }

  #begin(model: string, operation: (name: string) => Promise<void>): void {
    operation(model).catch((thrown: unknown) => {
      const { message } = RuntimeError.from(thrown);
      this.#parts.log.error({ model }, `its change is not taken over: ${message.trim()}`);
    });
  }
}
