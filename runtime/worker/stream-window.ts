// How far a stream may be ahead of whoever reads its answers: as long as so many have not been taken, the model is not asked for more.

import { MOST_UNREAD } from '../core/call.js';

export class StreamWindow {
  #left = MOST_UNREAD;
  #goOn: (() => void) | undefined;
  readonly #cancelled = new AbortController();

  /** Aborted when nobody reads them any more. */
  get signal(): AbortSignal {
    return this.#cancelled.signal;
  }

  isCancelled(): boolean {
    return this.#cancelled.signal.aborted;
  }

  /** An answer has left. The next one may be asked for when that has resolved. */
  sent(): Promise<void> | undefined {
    if (--this.#left > 0 || this.isCancelled()) return undefined;
    return new Promise((resolve) => (this.#goOn = resolve));
  }

  /** So many answers have been taken. */
  taken(answers: number): void {
    this.#left += answers;
    if (this.#left > 0) this.#release();
  }

  /** Nobody reads them any more. */
  cancel(): void {
    this.#release();
    this.#cancelled.abort();
  }

  // ---- details below; callers need not read ----

  #release(): void {
    this.#goOn?.();
    this.#goOn = undefined;
  }
}
