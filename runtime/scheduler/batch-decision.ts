// PURE: when is a batch dispatched, and with which requests? The rules are Triton's (DynamicBatchScheduler::GetDynamicBatch):
//
//   1. Requests join from the front of the queue until one would exceed max_batch_size or differs in shape. Nobody is
//      overtaken to find a fitting one: order is kept, and a stream of alternating shapes is batched poorly.
//   2. The largest preferred size that can be had now goes at once, unless the oldest request has waited its delay.
//   3. A batch that cannot grow, or that is as large as the largest preferred size, goes at once.
//   4. Otherwise it goes when its oldest request has waited max_queue_delay; without a delay, at once.
//
// And one of our own: no request waits for company until it is too late for it.

import type { CloseReason } from '../core/model-statistics.js';

export type BatchDecision =
  | { readonly kind: 'dispatch'; readonly count: number; readonly reason: CloseReason }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'idle' };

export interface BatchOptions {
  readonly combine: boolean;
  readonly maxBatchSize: number;
  /** Ascending; may be empty. */
  readonly preferredSizes: readonly number[];
  readonly maxDelayMs: number;
}

/** What the decision needs to know of a request. */
export interface BatchMember {
  readonly rows: number;
  /** Shares a batch with nobody. */
  readonly alone: boolean;
}

export interface BatchTimes {
  readonly nowMs: number;
  /** Since when the request of the candidate waits that has waited longest. */
  readonly oldestAtMs: number;
  /** When the first of them has to go to be in time; unset: none has to. */
  readonly dueAtMs?: number;
}

/** The requests at the front of the queue that could go together; grows as requests arrive. */
export class BatchCandidate<Member extends BatchMember> {
  #count = 0;
  #rows = 0;
  #first: Member | undefined;
  /** Requests up to the best preferred size seen; 0: none. */
  #bestCount = 0;
  #closed: 'max' | 'shape' | undefined;
  readonly #options: BatchOptions;
  readonly #largestPreferred: number;
  readonly #sameShape: (a: Member, b: Member) => boolean;

  constructor(options: BatchOptions, sameShape: (a: Member, b: Member) => boolean) {
    this.#options = options;
    this.#largestPreferred = largestPreferredSize(options);
    this.#sameShape = sameShape;
  }

  get count(): number {
    return this.#count;
  }

  get rows(): number {
    return this.#rows;
  }

  get bestCount(): number {
    return this.#bestCount;
  }

  /** Why no further request can join; undefined while one could. */
  get closed(): 'max' | 'shape' | undefined {
    return this.#closed;
  }

  /** Empty again: the queue has changed other than at its end. */
  reset(): void {
    this.#count = this.#rows = this.#bestCount = 0;
    this.#first = this.#closed = undefined;
  }

  /** The next request of the queue; only while not closed. */
  add(member: Member): void {
    if (this.#first === undefined) {
      this.#first = member;
      if (!this.#options.combine || member.alone) this.#closed = 'max';
    } else if (!this.#admits(member, this.#first)) return;
    this.#count++;
    this.#rows += member.rows;
    if (this.#options.preferredSizes.includes(this.#rows)) this.#bestCount = this.#count;
    if (this.#rows >= this.#options.maxBatchSize) this.#closed = 'max';
  }

  #admits(member: Member, first: Member): boolean {
    const rows = this.#rows + member.rows;
    if (rows > this.#largestPreferred && this.#bestCount === 0) this.#bestCount = this.#count;
    if (rows > this.#options.maxBatchSize || member.alone) this.#closed = 'max';
    else if (!this.#sameShape(first, member)) this.#closed = 'shape';
    return this.#closed === undefined;
  }
}

export function decideBatch(
  candidate: {
    count: number;
    rows: number;
    bestCount: number;
    closed: 'max' | 'shape' | undefined;
  },
  options: BatchOptions,
  times: BatchTimes,
): BatchDecision {
  if (candidate.count === 0) return { kind: 'idle' };
  const goesAt = Math.min(times.oldestAtMs + options.maxDelayMs, times.dueAtMs ?? Infinity);
  const late = options.maxDelayMs > 0 && times.nowMs >= goesAt;
  if (candidate.bestCount > 0 && !late)
    return { kind: 'dispatch', count: candidate.bestCount, reason: 'preferred' };
  const all = (reason: CloseReason): BatchDecision => ({
    kind: 'dispatch',
    count: candidate.count,
    reason,
  });
  if (candidate.closed !== undefined) return all(candidate.closed);
  if (candidate.rows >= largestPreferredSize(options)) return all('preferred');
  if (late) return all('delay');
  if (options.maxDelayMs === 0) return all('idle');
  return { kind: 'wait', untilMs: goesAt };
}

function largestPreferredSize({ preferredSizes, maxBatchSize }: BatchOptions): number {
  return preferredSizes.at(-1) ?? maxBatchSize;
}
