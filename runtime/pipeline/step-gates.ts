// How many flows of one request each step of an ensemble works on at once (max_inflight_requests). Further ones wait before the step, first
// come, first served. Who waits holds no other gate, so that no two wait for each other.

/** Who wants a step to work. */
export interface Entrant {
  /** It is its turn; to be followed by `leave`, unless the whole request is over. */
  enter(step: number): void;
}

export class StepGates {
  /** By step. */
  readonly #gates: readonly Gate[];

  constructor(steps: number, width: number) {
    this.#gates = Array.from({ length: steps }, (_, step) => new Gate(step, width));
  }

  /** At once, or when others have left. */
  admit(step: number, entrant: Entrant): void {
    this.#gates[step]!.admit(entrant);
  }

  leave(step: number): void {
    this.#gates[step]!.leave();
  }
}

// ---- details below; callers need not read ----

interface Waiting {
  readonly entrant: Entrant;
  next: Waiting | undefined;
}

class Gate {
  readonly #step: number;
  readonly #width: number;
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  #busy = 0;
  #isBeginning = false;

  constructor(step: number, width: number) {
    this.#step = step;
    this.#width = width;
  }

  admit(entrant: Entrant): void {
    const waiting = { entrant, next: undefined };
    if (this.#first) this.#last!.next = waiting;
    else this.#first = waiting;
    this.#last = waiting;
    this.#begin();
  }

  leave(): void {
    this.#busy--;
    this.#begin();
  }

  /** In a loop and not one in the other: steps may end while they are being begun. */
  #begin(): void {
    if (this.#isBeginning) return;
    this.#isBeginning = true;
    for (let next = this.#first; next && this.#busy < this.#width; next = this.#first) {
      this.#first = next.next;
      this.#busy++;
      next.entrant.enter(this.#step);
    }
    this.#isBeginning = false;
  }
}
