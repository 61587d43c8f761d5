// What became of every request of a load: when it was sent, when it ended, and which of the answers expected it got. Times are
// milliseconds of the machine's monotonic clock, so that those of two processes can be compared.

export interface RequestLog {
  readonly sentAt: Float64Array;
  readonly endedAt: Float64Array;
  /** Index of the answer in the list of those expected, or one of the two below. */
  readonly outcomes: Uint8Array;
  /** How often requests failed, by what was said. */
  readonly failures: ReadonlyMap<string, number>;
}

/** Answered OK, with something that was never expected. */
export const WRONG = 254;
/** Not answered OK. */
export const FAILED = 255;

/** What to add to performance.now() of this process. */
export function monotonicOffsetMs(): number {
  return Number(process.hrtime.bigint()) / 1e6 - performance.now();
}

export class RequestRecorder {
  #size = 0;
  #sentAt = new Float64Array(FIRST_CAPACITY);
  #endedAt = new Float64Array(FIRST_CAPACITY);
  #outcomes = new Uint8Array(FIRST_CAPACITY);
  readonly #failures = new Map<string, number>();

  add(sentAt: number, endedAt: number, outcome: number): void {
    if (this.#size === this.#outcomes.length) this.#grow();
    this.#sentAt[this.#size] = sentAt;
    this.#endedAt[this.#size] = endedAt;
    this.#outcomes[this.#size++] = outcome;
  }

  failed(text: string): void {
    this.#failures.set(text, (this.#failures.get(text) ?? 0) + 1);
  }

  log(): RequestLog {
    return {
      sentAt: this.#sentAt.slice(0, this.#size),
      endedAt: this.#endedAt.slice(0, this.#size),
      outcomes: this.#outcomes.slice(0, this.#size),
      failures: this.#failures,
    };
  }

  #grow(): void {
    const [sentAt, endedAt, outcomes] = [this.#sentAt, this.#endedAt, this.#outcomes];
    const capacity = this.#size * 2;
    this.#sentAt = new Float64Array(capacity);
    this.#endedAt = new Float64Array(capacity);
    this.#outcomes = new Uint8Array(capacity);
    this.#sentAt.set(sentAt);
    this.#endedAt.set(endedAt);
    this.#outcomes.set(outcomes);
  }
}

/** Milliseconds that requests took which were sent from `from` on and before `to`, ascending. */
export function durationsMs(
  { sentAt, endedAt }: RequestLog,
  from: number,
  to: number,
): Float64Array {
  const durations: number[] = [];
  sentAt.forEach((at, i) => {
    if (at >= from && at < to) durations.push(endedAt[i]! - at);
  });
  return Float64Array.from(durations).sort();
}

// ---- details below; callers need not read ----

const FIRST_CAPACITY = 2 ** 16;
