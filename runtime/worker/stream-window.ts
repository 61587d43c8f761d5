// How far a stream may be ahead of whoever reads its answers: as long as so many have not been taken, the model is not asked for more.
// Large answers count as several.

import { MOST_UNREAD, unreadShare } from '../core/call.js';

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

  /** An answer of so many bytes has left. The next one may be asked for when that has resolved. */
  sent(bytes: number): Promise<void> | undefined {
    this.#left -= unreadShare(bytes);
    if (this.#left > 0 || this.isCancelled()) return undefined;
    return new Promise((resolve) => (this.#goOn = resolve));
  }

  /** Answers have been taken, of so much in all. */
  taken(share: number): void {
    this.#left += share;
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
