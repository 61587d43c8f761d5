// How many flows of one request each step of an ensemble works on at once (max_inflight_requests). Further ones wait before the step, first
// come, first served. Who waits holds no other gate, so that no two wait for each other.
//
// A decoupled step may be held up for long: what it answers for a later flow waits for the earlier ones. So that those never wait for
// it in turn, one of its places is kept for the flow whose turn it is.

/** Who wants a step to work. */
export interface Entrant {
  /** Nothing of the request is before it. */
  readonly isTurn: boolean;
  /** It is its turn; to be followed by `leave`, unless the whole request is over. */
  enter(step: number): void;
}

export class StepGates {
  /** By step. */
  readonly #gates: readonly (Gate | StreamGate)[];

  constructor(steps: readonly { readonly isDecoupled: boolean }[], width: number) {
    this.#gates = steps.map(({ isDecoupled }, step) =>
      isDecoupled ? new StreamGate(step, width) : new Gate(step, width),
    );
  }

  /** At once, or when others have left. */
  admit(step: number, entrant: Entrant): void {
    this.#gates[step]!.admit(entrant);
  }

  leave(step: number, entrant: Entrant): void {
    this.#gates[step]!.leave(entrant);
  }

  /** It is the turn of another flow, which may wait before a gate. */
  turnMoved(): void {
    for (const gate of this.#gates) if (gate instanceof StreamGate) gate.begin();
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

/** Of a decoupled step. Few wait before it: no more than answers of another decoupled step may be on their way. */
class StreamGate {
  readonly #step: number;
  readonly #width: number;
  readonly #waiting: Entrant[] = [];
  /** Who has entered when it was its turn. The turn moves on only when it has left. */
  #front: Entrant | undefined;
  /** The others that have entered, one less than the gate is wide. */
  #back = 0;
  #isBeginning = false;

  constructor(step: number, width: number) {
    this.#step = step;
    this.#width = width;
  }

  admit(entrant: Entrant): void {
    this.#waiting.push(entrant);
    this.begin();
  }

  leave(entrant: Entrant): void {
    if (this.#front === entrant) this.#front = undefined;
    else this.#back--;
    this.begin();
  }

  begin(): void {
    if (this.#isBeginning) return;
    this.#isBeginning = true;
    for (let next = this.#next(); next >= 0; next = this.#next()) {
      const [entrant] = this.#waiting.splice(next, 1);
      if (entrant!.isTurn) this.#front = entrant;
      else this.#back++;
      entrant!.enter(this.#step);
    }
    this.#isBeginning = false;
  }

  /** Where in the line the next one is that may enter; -1: nowhere. */
  #next(): number {
    const turn = this.#front ? -1 : this.#waiting.findIndex(({ isTurn }) => isTurn);
    if (turn >= 0 || this.#back >= this.#width - 1) return turn;
    return this.#waiting.findIndex(({ isTurn }) => !isTurn);
  }
}
