// Calls to other models that one call of `execute` has under way at once; more wait their turn in the thread, where they cost nobody else
// anything. The limit is for each call of `execute` by itself: those of a common limit could wait for each other.

/** Far more than fills the batches of any model. */
const MOST_AT_ONCE = 256;

export class CallTurns {
  /** A list, as taking the first from a long array takes long. */
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  #free: number;

  constructor(most = MOST_AT_ONCE) {
    this.#free = most;
  }

  /** Resolves when it may go ahead; whoever has done so calls `end`. */
  begin(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    return new Promise((goOn) => {
      const waiting: Waiting = { goOn, next: undefined };
      if (this.#last) this.#last.next = waiting;
      else this.#first = waiting;
      this.#last = waiting;
    });
  }

  end(): void {
    const first = this.#first;
    if (!first) {
      this.#free++;
      return;
    }
    this.#first = first.next;
    if (!this.#first) this.#last = undefined;
    first.goOn();
  }
}

// ---- details below; callers need not read ----

interface Waiting {
  readonly goOn: () => void;
  next: Waiting | undefined;
}
