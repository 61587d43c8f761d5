// What is counted of one version of a model, as plain numbers: written on the road, read by the statistics call and when
// metrics are scraped. A version that is loaded anew starts at zero. The rules are Triton's (reference: ModelStatistics).

import type { Timings } from './call.js';
import type { ErrorCode } from './errors.js';

/** A number of events and the sum of their durations in milliseconds. */
export class DurationStat {
  count = 0;
  ms = 0;

  add(ms: number): void {
    this.count++;
    this.ms += ms;
  }
}

/** Executions that had the same number of rows. */
export class BatchStat {
  readonly input = new DurationStat();
  readonly infer = new DurationStat();
  readonly output = new DurationStat();
}

/** Why a request failed, in the words of the metric nv_inference_request_failure. */
export type FailureReason = 'REJECTED' | 'CANCELED' | 'BACKEND' | 'OTHER';

/** How a failure is counted; undefined: refused before it was accepted, so it counts nowhere. */
const FAILURE_REASON: Partial<Record<ErrorCode, FailureReason>> = {
  QUEUE_FULL: 'REJECTED',
  QUEUE_TIMEOUT: 'REJECTED',
  DEADLINE_EXCEEDED: 'REJECTED',
  CANCELLED: 'CANCELED',
  BACKEND_FAILED: 'BACKEND',
  BACKEND_LOST: 'BACKEND',
  SHUTTING_DOWN: 'OTHER',
  INTERNAL: 'OTHER',
};

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
  /** By number of rows. */
  readonly batches = new Map<number, BatchStat>();

  /** One execution, whatever the number of requests in it. */
  executed(rows: number, times: { inputMs: number; inferMs: number; outputMs: number }): void {
    let batch = this.batches.get(rows);
    if (!batch) this.batches.set(rows, (batch = new BatchStat()));
    batch.input.add(times.inputMs);
    batch.infer.add(times.inferMs);
    batch.output.add(times.outputMs);
    this.inferenceCount += rows;
    this.executionCount++;
    this.lastInferenceMs = Date.now();
  }

  /** One request that was answered. The whole compute time of its batch counts for each request in it. */
  succeeded(timings: Timings, now: number): void {
    this.success.add(now - timings.receivedAt);
    this.queue.add(timings.dispatchedAt - timings.queuedAt);
    this.input.add(timings.inputMs);
    this.infer.add(timings.inferMs);
    this.output.add(timings.outputMs);
  }

  /** One request that failed. A request that was never accepted counts nowhere; a full queue only as a rejection. */
  failed(code: ErrorCode, ms: number): void {
    const reason = FAILURE_REASON[code];
    if (reason === undefined) return;
    this.failures[reason]++;
    if (code !== 'QUEUE_FULL') this.fail.add(ms);
  }
}
