import { describe, expect, it } from 'vitest';
import {
  BatchCandidate,
  decideBatch,
  type BatchDecision,
  type BatchOptions,
} from './batch-decision.js';

interface Member {
  readonly rows: number;
  readonly alone: boolean;
  readonly shape: string;
}

const NOW = 1000;

function options(overrides: Partial<BatchOptions> = {}): BatchOptions {
  return { combine: true, maxBatchSize: 8, preferredSizes: [8], maxDelayMs: 0, ...overrides };
}

/** Decides about a queue of these requests, the oldest of which has waited `waitedMs`. */
function decide(
  queue: readonly (number | Partial<Member>)[],
  about: BatchOptions,
  waitedMs = 0,
): BatchDecision {
  const candidate = new BatchCandidate<Member>(about, (a, b) => a.shape === b.shape);
  for (const entry of queue) {
    if (candidate.closed !== undefined) break;
    const member = typeof entry === 'number' ? { rows: entry } : entry;
    candidate.add({ rows: 1, alone: false, shape: 'same', ...member });
  }
  return decideBatch(candidate, about, { nowMs: NOW, oldestAtMs: NOW - waitedMs });
}

describe('decideBatch', () => {
  it('does nothing for an empty queue', () => {
    expect(decide([], options())).toEqual({ kind: 'idle' });
  });

  it('takes everything that waits when there is no delay', () => {
    expect(decide([1, 1, 1], options())).toEqual({ kind: 'dispatch', count: 3, reason: 'idle' });
  });

  it('takes as many requests as fit into max_batch_size', () => {
    const decision = decide([3, 3, 3], options({ preferredSizes: [8] }));

    expect(decision).toMatchObject({ kind: 'dispatch', count: 2 });
  });

  it('dispatches a full batch without waiting for the delay', () => {
    const decision = decide([4, 4, 1], options({ maxDelayMs: 50 }));

    expect(decision).toEqual({ kind: 'dispatch', count: 2, reason: 'preferred' });
  });

  it('waits no longer than one of its requests may', () => {
    const about = options({ maxDelayMs: 50 });
    const candidate = new BatchCandidate<Member>(about, () => true);
    candidate.add({ rows: 1, alone: false, shape: 'same' });
    const at = (nowMs: number): BatchDecision =>
      decideBatch(candidate, about, { nowMs, oldestAtMs: NOW, dueAtMs: NOW + 20 });

    expect(at(NOW + 19)).toEqual({ kind: 'wait', untilMs: NOW + 20 });
    expect(at(NOW + 20)).toEqual({ kind: 'dispatch', count: 1, reason: 'delay' });
  });

  it('waits for the delay of the oldest request while the batch can grow', () => {
    const decision = decide([1, 1], options({ maxDelayMs: 50 }), 10);

    expect(decision).toEqual({ kind: 'wait', untilMs: NOW + 40 });
  });

  it('takes everything once the oldest request has waited its delay', () => {
    const decision = decide([1, 1, 1], options({ preferredSizes: [2, 8], maxDelayMs: 50 }), 50);

    expect(decision).toEqual({ kind: 'dispatch', count: 3, reason: 'delay' });
  });

  // The worked example of Triton's documentation: preferred sizes 2 and 6, a long delay.
  it.each([
    [5, 2],
    [3, 2],
    [6, 6],
    [7, 6],
  ])('makes of %i waiting requests a batch of %i when 2 and 6 are preferred', (waiting, count) => {
    const about = options({ preferredSizes: [2, 6], maxDelayMs: 10_000 });

    const decision = decide(Array<number>(waiting).fill(1), about);

    expect(decision).toEqual({ kind: 'dispatch', count, reason: 'preferred' });
  });

  it('holds a single request back until its preferred size or its delay', () => {
    const about = options({ preferredSizes: [2, 6], maxDelayMs: 10_000 });

    expect(decide([1], about)).toMatchObject({ kind: 'wait' });
    expect(decide([1], about, 10_000)).toMatchObject({ kind: 'dispatch', reason: 'delay' });
  });

  it('does not overtake anybody to find a request of the same shape', () => {
    const decision = decide(
      [{ shape: 'a' }, { shape: 'b' }, { shape: 'a' }],
      options({ maxDelayMs: 50 }),
    );

    expect(decision).toEqual({ kind: 'dispatch', count: 1, reason: 'shape' });
  });

  it('executes every request on its own without a batcher', () => {
    const about = options({ combine: false, preferredSizes: [] });

    expect(decide([3, 1], about)).toEqual({ kind: 'dispatch', count: 1, reason: 'max' });
  });

  it('puts nobody beside a request that must be alone, before or behind it', () => {
    expect(decide([{ alone: true }, 1], options())).toMatchObject({ count: 1 });
    expect(decide([1, 1, { alone: true }], options())).toMatchObject({ count: 2 });
  });
});
