// Whether an endpoint is worth asking, by what became of the requests sent to it: one failure after the other takes it out for a time
// that grows from one ejection to the next. When that time is over it is asked again; one failure then takes it out at once.

import type { EjectionConfig } from '../config/remote-config.js';

export class Ejection {
  readonly #config: EjectionConfig;
  #failures = 0;
  /** In a row, without an answer in between that came as late as an ejection takes. */
  #ejections = 0;
  #ejectedUntil = -Infinity;

  constructor(config: EjectionConfig) {
    this.#config = config;
  }

  isEjected(now: number): boolean {
    return now < this.#ejectedUntil;
  }

  /** When its last ejection is, or was, over. */
  get readmittedAt(): number {
    return this.#ejectedUntil;
  }

  answered(now: number): void {
    // What was under way when it was ejected says nothing of now.
    if (this.isEjected(now)) return;
    this.#failures = 0;
    if (now - this.#ejectedUntil >= this.#durationMs) this.#ejections = 0;
  }

  /**
   * A request sent at `sentAt` has failed in a way that its endpoint is to be blamed for. True: it is ejected from now on; `mayEject`
   * is asked before.
   */
  failed({ sentAt, now }: { sentAt: number; now: number }, mayEject: () => boolean): boolean {
    if (this.isEjected(now) || sentAt < this.#ejectedUntil) return false;
    this.#failures++;
    const enough = this.#ejections > 0 ? 1 : this.#config.failures;
    if (this.#failures < enough || !mayEject()) return false;
    this.#failures = 0;
    this.#ejections++;
    this.#ejectedUntil = now + this.#durationMs;
    return true;
  }

  get #durationMs(): number {
    return Math.min(this.#config.baseMs * this.#ejections, this.#config.maxMs);
  }
}
