// Keeps the process alive while somebody holds it. Timers of the server do not and its threads need not, so a program whose only hope is
// an answer of this server would end before it came.

import { MAX_TIMER_MS } from './clock.js';

export class KeepAlive {
  readonly #handle = setInterval(() => undefined, MAX_TIMER_MS).unref();
  #holders = 0;

  hold(): void {
    if (this.#holders++ === 0) this.#handle.ref();
  }

  /** Once for each hold. */
  release(): void {
    if (--this.#holders === 0) this.#handle.unref();
  }

  async during<T>(work: Promise<T>): Promise<T> {
    this.hold();
    try {
      return await work;
    } finally {
      this.release();
    }
  }

  /** It holds nothing any more, whoever has not let go. */
  end(): void {
    clearInterval(this.#handle);
  }
}
