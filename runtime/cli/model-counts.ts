// What a server counts of a model version, as figures for people: since the start, or between two looks. Pure.

import type { DurationStatistics, ModelStatistics } from 'inferd-client';

export interface ModelCounts {
  readonly name: string;
  readonly version: string;
  /** That succeeded; those that failed. */
  readonly requests: number;
  readonly failures: number;
  readonly rows: number;
  readonly batches: number;
  /** Milliseconds since 1970; 0: never. */
  readonly lastRequest: number;
  /** Of all requests together. */
  readonly totalMs: number;
  readonly queue: Sum;
  readonly input: Sum;
  readonly compute: Sum;
  readonly output: Sum;
  readonly batchSizes: readonly { readonly rows: number; readonly compute: Sum }[];
}

export interface Sum {
  readonly count: number;
  readonly ms: number;
}

export function countsOf(statistics: ModelStatistics): ModelCounts {
  const { success, fail, queue, computeInput, computeInfer, computeOutput } =
    statistics.inferenceStats;
  return {
    name: statistics.name,
    version: statistics.version,
    requests: success.count,
    failures: fail.count,
    rows: statistics.inferenceCount,
    batches: statistics.executionCount,
    lastRequest: statistics.lastInference,
    totalMs: sum(success).ms,
    queue: sum(queue),
    input: sum(computeInput),
    compute: sum(computeInfer),
    output: sum(computeOutput),
    batchSizes: statistics.batchStats.map(({ batchSize, computeInfer: compute }) => ({
      rows: batchSize,
      compute: sum(compute),
    })),
  };
}

/** What came since `before`, which is undefined for a model that was not there then. Counts begin anew when it is loaded again. */
export function countsSince(now: ModelCounts, before: ModelCounts | undefined): ModelCounts {
  if (!before || before.requests > now.requests || before.failures > now.failures) return now;
  return {
    ...now,
    requests: now.requests - before.requests,
    failures: now.failures - before.failures,
    rows: now.rows - before.rows,
    batches: now.batches - before.batches,
    totalMs: now.totalMs - before.totalMs,
    queue: difference(now.queue, before.queue),
    input: difference(now.input, before.input),
    compute: difference(now.compute, before.compute),
    output: difference(now.output, before.output),
  };
}

/** Per event; NaN where there was none. */
export function meanMs({ count, ms }: Sum): number {
  return ms / count;
}

// ---- details below; callers need not read ----

function sum({ count, ns }: DurationStatistics): Sum {
  return { count, ms: ns / 1e6 };
}

function difference(now: Sum, before: Sum): Sum {
  return { count: now.count - before.count, ms: now.ms - before.ms };
}
