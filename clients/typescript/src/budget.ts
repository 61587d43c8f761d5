// How many further requests there may be for so many calls, so that a client never multiplies the load of servers in trouble.

const CAPACITY = 100;

export class Budget {
  readonly #share: number;
  #tokens = CAPACITY;

  constructor(percent: number) {
    this.#share = percent / 100;
  }

  /** A call begins. */
  earn(): void {
    this.#tokens = Math.min(this.#tokens + this.#share, CAPACITY);
  }

  /** Whether one more request may go; it counts when it may. */
  spend(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
