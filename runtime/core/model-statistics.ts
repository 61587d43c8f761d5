// What is counted of one version of a model, as plain numbers: written on the road, read by the statistics call and when
// metrics are scraped. A version that is loaded anew starts at zero. The rules are Triton's (reference: ModelStatistics).

import type { Timings } from './call.js';
import type { ErrorCode } from './errors.js';
import { Histogram } from './histogram.js';
import { LatencyDigest } from './latency-digest.js';

/** A number of events and the sum of their durations in milliseconds. */
export class DurationStat {
  count = 0;
  ms = 0;

  add(ms: number): void {
    this.count++;
    this.ms += ms;
  }
}

/** Why a batch was not made larger: a preferred size or the maximum was reached, … or nothing else was there (idle). */
export const CLOSE_REASONS = ['preferred', 'max', 'delay', 'shape', 'idle'] as const;

export type CloseReason = (typeof CLOSE_REASONS)[number];

/** Microseconds. */
export const LATENCY_BOUNDS_US: readonly number[] = [
  100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
  5_000_000,
];

/** Quantiles of what single requests took; kept only when asked for, as they cost memory. */
export class LatencyDigests {
  readonly request = new LatencyDigest();
  readonly queue = new LatencyDigest();
  readonly input = new LatencyDigest();
  readonly infer = new LatencyDigest();
  readonly output = new LatencyDigest();
}

/** Executions that had the same number of rows. */
export class BatchStat {
  readonly input = new DurationStat();
  readonly infer = new DurationStat();
  readonly output = new DurationStat();
}

/** Lookups in the response cache; a miss takes from the lookup on, and what it takes to keep the answer. */
export class CacheStat {
  readonly hits = new DurationStat();
  readonly misses = new DurationStat();
  /** Quantiles of the two; kept only when asked for. A miss is in them when its request has ended. */
  readonly digests: { readonly hits: LatencyDigest; readonly misses: LatencyDigest } | undefined;

  constructor({ summaries = false }: { readonly summaries?: boolean } = {}) {
    this.digests = summaries
      ? { hits: new LatencyDigest(), misses: new LatencyDigest() }
      : undefined;
  }
}

/** Sequences that live just now: those that are served, and those that wait until one of them ends. */
export interface SequenceCounts {
  slot: number;
  backlog: number;
}

/** Why a request failed, in the words of the metric nv_inference_request_failure. */
export type FailureReason = 'REJECTED' | 'CANCELED' | 'BACKEND' | 'OTHER';

/** How a failure is counted; undefined: refused before it was accepted, so it counts nowhere. */
const FAILURE_REASON: Partial<Record<ErrorCode, FailureReason>> = {
  QUEUE_FULL: 'REJECTED',
  QUEUE_TIMEOUT: 'REJECTED',
  TOO_MANY_REQUESTS: 'REJECTED',
  CIRCUIT_OPEN: 'REJECTED',
  DEADLINE_EXCEEDED: 'REJECTED',
  CANCELLED: 'CANCELED',
  BACKEND_FAILED: 'BACKEND',
  BACKEND_LOST: 'BACKEND',
  SHUTTING_DOWN: 'OTHER',
  INTERNAL: 'OTHER',
};

/** Turned away at the door: as in Triton, no failure of the model. */
const TURNED_AWAY: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'QUEUE_FULL',
  'TOO_MANY_REQUESTS',
  'CIRCUIT_OPEN',
]);

export interface ModelStatisticsOptions {
  /** Keep what quantiles are made of. */
  readonly summaries?: boolean;
  /** Of a model whose answers are cached. */
  readonly cache?: CacheStat | undefined;
}

export class ModelStatistics {
  /** Rows inferred. */
  inferenceCount = 0;
  /** Batches executed. */
  executionCount = 0;
  /** Wall clock, ms since 1970; 0: never. */
  lastInferenceMs = 0;
  /** Requests accepted and not yet executing. */
  pending = 0;
  readonly success = new DurationStat();
  readonly fail = new DurationStat();
  readonly queue = new DurationStat();
  readonly input = new DurationStat();
  readonly infer = new DurationStat();
  readonly output = new DurationStat();
  readonly failures: Record<FailureReason, number> = {
    REJECTED: 0,
    CANCELED: 0,
    BACKEND: 0,
    OTHER: 0,
  };
  /** Whole requests, their waiting and their computing, in microseconds. */
  readonly requestLatency = new Histogram(LATENCY_BOUNDS_US);
  readonly queueLatency = new Histogram(LATENCY_BOUNDS_US);
  readonly computeLatency = new Histogram(LATENCY_BOUNDS_US);
  readonly digests: LatencyDigests | undefined;
  /** Batches of models that batch, by what closed them. */
  readonly closed: Record<CloseReason, number> = {
    preferred: 0,
    max: 0,
    delay: 0,
    shape: 0,
    idle: 0,
  };
  /** Time that instances spent on batches, from giving one to having its result; failed ones included. */
  busyMs = 0;
  instances = 0;
  loadMs = 0;
  /** By number of rows. */
  readonly batches = new Map<number, BatchStat>();

  /** Set by the scheduler of a model with sequences. */
  sequences: SequenceCounts | undefined;
  /** Undefined: nothing is cached. */
  readonly cache: CacheStat | undefined;

  constructor({ summaries = false, cache }: ModelStatisticsOptions = {}) {
    this.cache = cache;
    this.digests = summaries ? new LatencyDigests() : undefined;
  }

  /** One execution, whatever the number of requests in it; `inferences`: rows that somebody had asked for. */
  executed(
    rows: number,
    times: { inputMs: number; inferMs: number; outputMs: number },
    inferences = rows,
  ): void {
    let batch = this.batches.get(rows);
    if (!batch) this.batches.set(rows, (batch = new BatchStat()));
    batch.input.add(times.inputMs);
    batch.infer.add(times.inferMs);
    batch.output.add(times.outputMs);
    this.inferenceCount += inferences;
    this.executionCount++;
    this.lastInferenceMs = Date.now();
  }

  /**
   * One request that was answered. The whole compute time of its batch counts for each request in it; an answer from the
   * response cache has none.
   */
  succeeded(timings: Timings, now: number): void {
    this.success.add(now - timings.receivedAt);
    this.queue.add(timings.dispatchedAt - timings.queuedAt);
    this.requestLatency.add((now - timings.receivedAt) * 1000);
    this.queueLatency.add((timings.dispatchedAt - timings.queuedAt) * 1000);
    if (!timings.cached) {
      this.input.add(timings.inputMs);
      this.infer.add(timings.inferMs);
      this.output.add(timings.outputMs);
      this.computeLatency.add(timings.inferMs * 1000);
    }
    if (this.digests) digest(this.digests, timings, now);
  }

  /** One request that failed. A request that was never accepted counts nowhere; one that was turned away only as a rejection. */
  failed(code: ErrorCode, ms: number): void {
    const reason = FAILURE_REASON[code];
    if (reason === undefined) return;
    this.failures[reason]++;
    if (!TURNED_AWAY.has(code)) this.fail.add(ms);
  }
}

function digest(digests: LatencyDigests, timings: Timings, now: number): void {
  digests.request.add((now - timings.receivedAt) * 1000, now);
  digests.queue.add((timings.dispatchedAt - timings.queuedAt) * 1000, now);
  if (timings.cached) return;
  digests.input.add(timings.inputMs * 1000, now);
  digests.infer.add(timings.inferMs * 1000, now);
  digests.output.add(timings.outputMs * 1000, now);
}
