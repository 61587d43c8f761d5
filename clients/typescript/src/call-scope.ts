// How long a call may take: its deadline and the caller's signal as one AbortSignal, whose reason is the error of the call.

import { setMaxListeners } from 'node:events';
import type { Clock } from './clock.js';
import { InferdError, errorOfAbort } from './inferd-error.js';

export interface CallLimits {
  /** Infinity: no deadline. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

export class CallScope {
  readonly #clock: Clock;
  readonly #deadlineAt: number;
  readonly #controller = new AbortController();
  readonly #callersSignal: AbortSignal | undefined;
  readonly #stopTimer: () => void;

  constructor({ deadlineMs, signal }: CallLimits, clock: Clock) {
    this.#clock = clock;
    this.#deadlineAt = clock.now() + deadlineMs;
    this.#callersSignal = signal;
    const late = (): void =>
      this.#abort(new InferdError('DEADLINE_EXCEEDED', `no answer within ${deadlineMs} ms`));
    this.#stopTimer = deadlineMs === Infinity ? () => undefined : clock.after(deadlineMs, late);
    // One signal may be that of many calls at once.
    if (signal) setMaxListeners(0, signal);
    signal?.addEventListener('abort', this.#cancel);
    if (signal?.aborted) this.#cancel();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get remainingMs(): number {
    return Math.max(this.#deadlineAt - this.#clock.now(), 0);
  }

  /** For the server; undefined: no limit. */
  get timeoutMs(): number | undefined {
    return this.#deadlineAt === Infinity ? undefined : this.remainingMs;
  }

  /** To be called when the call has ended, however. */
  dispose(): void {
    this.#stopTimer();
    this.#callersSignal?.removeEventListener('abort', this.#cancel);
  }

  #cancel = (): void => this.#abort(errorOfAbort(this.#callersSignal!));

  #abort(reason: InferdError): void {
    this.dispose();
    this.#controller.abort(reason);
  }
}

/** Resolves after that time. @throws the reason of the signal */
export function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = clock.after(ms, () => {
      signal.removeEventListener('abort', end);
      resolve();
    });
    const end = (): void => {
      stop();
      reject(errorOfAbort(signal));
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}
