// The queue of one model version and the pump that turns it into batches. Three events, one pump: a request came, an
// instance became idle, the timer fired. Nothing else starts a batch, and decideBatch (pure) says when and how large.
//
// While all instances are busy nothing is decided: requests pool up and the next idle instance takes what is there. A
// request that arrives while an instance is idle is decided upon after the events already here, so that requests that came
// in one read of a socket go together. Delays below a millisecond mean just that.
//
// What waits for how long and behind whom, admission.ts and the queues say; what a batch is, batch-execution.ts.
//
// Timeouts and cancellations answer a waiting request at once; a running one is computed to its end and discarded.

import type { ModelConfig, QueuePolicy } from '../config/model-config.js';
import type { Call } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import { earliest } from '../core/deadline.js';
import { RuntimeError, bug } from '../core/errors.js';
import type { InferenceRequest } from '../core/inference.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import type { Reply, Servable } from '../core/servable.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import { Admission, queueFull, queueTimeoutMs, tooLate } from './admission.js';
import { BatchCandidate, decideBatch, type BatchTimes } from './batch-decision.js';
import { BatchExecution, type BatchFailed, type Execution } from './batch-execution.js';
import type { BatchRunner, RunnerSlots } from './batch-runner.js';
import { PumpTimer } from './pump-timer.js';
import { QueueEntry, type EntryOwner } from './queue-entry.js';
import { ResponseOrder } from './response-order.js';
import type { WaitingRequests } from './waiting-requests.js';

/** A batch goes that much before somebody in it would be too late: timers are no finer. */
const GRAIN_MS = 2;

export interface BatchSchedulerParts {
  readonly config: ModelConfig;
  /** Decimal text, as responses carry it. */
  readonly version: string;
  readonly runner: BatchRunner;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly statistics: ModelStatistics;
}

/** Batches are not merged and run by the runner, which only says when there may be one. */
export type OwnExecutionParts = Omit<BatchSchedulerParts, 'runner'> & {
  readonly runner: RunnerSlots;
  /** It tells of the requests of batches that fail. */
  readonly execution: (failed: BatchFailed) => Execution;
};

export class BatchScheduler implements Servable, EntryOwner {
  readonly #parts: BatchSchedulerParts | OwnExecutionParts;
  readonly #admission: Admission;
  readonly #queue: WaitingRequests;
  readonly #candidate: BatchCandidate<QueueEntry>;
  /** Undefined: responses leave as they are ready. */
  readonly #responseOrder: ResponseOrder | undefined;
  readonly #execution: Execution;
  readonly #timer: PumpTimer;
  /** What is answered since the scheduler was closed. */
  #closed: RuntimeError | undefined;

  constructor(parts: BatchSchedulerParts | OwnExecutionParts) {
    this.#parts = parts;
    this.#admission = new Admission(parts.config.batching);
    this.#queue = this.#admission.createQueue();
    this.#responseOrder = parts.config.batching.preserveOrdering ? new ResponseOrder() : undefined;
    const failed: BatchFailed = (entries, error) => this.#failed(entries, error);
    this.#execution =
      'execution' in parts ? parts.execution(failed) : new BatchExecution(parts, failed);
    this.#candidate = new BatchCandidate(parts.config.batching, (a, b) =>
      this.#execution.sameShape(a, b),
    );
    const pump = (): void => this.#pump();
    this.#timer = new PumpTimer(parts.clock, pump);
    parts.runner.onIdle(pump);
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    const now = this.#parts.clock.now();
    const level = this.#admission.levelOf(request);
    const policy = this.#admission.policyOf(level);
    const computeMs = this.#expectedComputeMs();
    const refusal =
      this.#callRefusal(call, now, computeMs) ??
      (this.#isFull(level, policy) ? queueFull(request) : undefined);
    if (refusal) {
      reply.end(refusal);
      return;
    }
    const rows = this.#parts.config.batched ? (request.inputs[0]?.shape[0] ?? 1) : 1;
    const ordered = this.#responseOrder ? this.#responseOrder.slotFor(reply) : reply;
    const entry = new QueueEntry(this, { request, call, reply: ordered }, rows);
    entry.level = level;
    entry.computeMs = computeMs;
    entry.waitsUntil = earliest(entry.latestStart, now + queueTimeoutMs(policy, request));
    call.timings.queuedAt = now;
    call.onCancel(entry);
    this.#parts.wheel.schedule(entry, entry.waitsUntil);
    this.#accept(entry);
  }

  /** Requests still waiting, and those that come, are answered with `error`; those running finish. */
  close(error: RuntimeError = shuttingDown()): void {
    this.#closed ??= error;
    this.refuseWaiting(error);
  }

  /** Requests still waiting are answered with `error`; those running finish, and those that come are served. */
  refuseWaiting(error: RuntimeError): void {
    this.#timer.disarm();
    for (let entry = this.#queue.first; entry; entry = this.#queue.first) {
      this.#leave(entry);
      entry.fail(error);
    }
  }

  // ---- details below; callers need not read ----

  entryDue(entry: QueueEntry): void {
    const now = this.#parts.clock.now();
    if (now >= entry.latestStart) {
      this.#leave(entry);
      entry.fail(tooLate(entry.call, now, entry.computeMs));
    } else if (this.#admission.policyOf(entry.level).timeoutAction === 'DELAY') {
      this.#queue.delay(entry);
      this.#candidate.reset();
      this.#parts.wheel.schedule(entry, entry.latestStart);
    } else {
      this.#leave(entry);
      entry.fail(new RuntimeError('QUEUE_TIMEOUT', 'Request timeout expired'));
    }
  }

  entryCancelled(entry: QueueEntry): void {
    if (this.#queue.has(entry)) this.#leave(entry);
    entry.fail(new RuntimeError('CANCELLED', 'Request was cancelled'));
  }

  /** What an idle instance would take does not count. */
  #isFull(level: number, { maxQueueSize }: QueuePolicy): boolean {
    if (this.#queue.sizeAt(level) < maxQueueSize) return false;
    if (this.#parts.runner.idle > 0) this.#pump();
    return this.#queue.sizeAt(level) >= maxQueueSize;
  }

  /** Nothing is expected of a model that does nothing: the next batch will show whether it still takes that long. */
  #expectedComputeMs(): number {
    if (!this.#parts.config.batching.shedLate) return 0;
    return this.#execution.running === 0 && this.#queue.size === 0 ? 0 : this.#execution.expectedMs;
  }

  #callRefusal(call: Call, now: number, computeMs: number): RuntimeError | undefined {
    if (this.#closed) return this.#closed;
    if (call.cancelled) return new RuntimeError('CANCELLED', 'Request was cancelled');
    return now >= call.deadline - computeMs ? tooLate(call, now, computeMs) : undefined;
  }

  #accept(entry: QueueEntry): void {
    this.#queue.push(entry);
    this.#parts.statistics.pending++;
    if (this.#queue.after(entry) !== undefined) this.#candidate.reset();
    else if (this.#candidate.closed === undefined && this.#candidate.count === this.#queue.size - 1)
      this.#candidate.add(entry);
    if (this.#parts.runner.idle === 0) this.#parts.runner.awaitIdle();
    else this.#timer.defer();
  }

  /** Out of the queue, for whatever reason. */
  #leave(entry: QueueEntry): void {
    this.#queue.remove(entry);
    this.#parts.wheel.cancel(entry);
    this.#parts.statistics.pending--;
    this.#candidate.reset();
    if (this.#queue.size === 0) this.#timer.disarm();
  }

  #pump(): void {
    this.#timer.disarm();
    const { runner, clock, config } = this.#parts;
    while (runner.idle > 0) {
      const { first } = this.#queue;
      if (!first) return;
      const nowMs = clock.now();
      const candidate = this.#gather(first);
      if (this.#endedOverdue(first, candidate.count, nowMs)) continue;
      const times = this.#timesOf(first, candidate.count, nowMs);
      const decision = decideBatch(candidate, config.batching, times);
      if (decision.kind === 'idle') return;
      if (decision.kind === 'wait') {
        this.#timer.arm(decision.untilMs);
        return;
      }
      if (config.batching.combine) this.#parts.statistics.closed[decision.reason]++;
      this.#dispatch(decision.count, nowMs);
    }
    if (this.#queue.size > 0) runner.awaitIdle();
  }

  /** The candidate is kept up to date as requests arrive; after a departure it is gathered anew. */
  #gather(first: QueueEntry): BatchCandidate<QueueEntry> {
    if (this.#candidate.count > 0) return this.#candidate;
    for (let entry: QueueEntry | undefined = first; entry; entry = this.#queue.after(entry)) {
      if (this.#candidate.closed !== undefined) break;
      this.#candidate.add(entry);
    }
    return this.#candidate;
  }

  /** Timers come late when the event loop is busy: what is over by then is not executed all the same. */
  #endedOverdue(first: QueueEntry, count: number, nowMs: number): boolean {
    let hasEnded = false;
    let entry: QueueEntry | undefined = first;
    for (let left = count; left > 0 && entry; left--) {
      const next = this.#queue.after(entry);
      if (entry.isOverdue(nowMs)) {
        this.entryDue(entry);
        hasEnded = true;
      }
      entry = next;
    }
    return hasEnded;
  }

  /** Of the first `count`. */
  #timesOf(first: QueueEntry, count: number, nowMs: number): BatchTimes {
    let oldestAtMs = first.call.timings.queuedAt;
    let dueAtMs = Infinity;
    if (this.#parts.config.batching.maxDelayMs === 0) return { nowMs, oldestAtMs, dueAtMs };
    const takesMs = this.#execution.expectedMs;
    let entry: QueueEntry | undefined = first;
    for (let left = count; left > 0 && entry; left--) {
      const { call, waitsUntil } = entry;
      oldestAtMs = Math.min(oldestAtMs, call.timings.queuedAt);
      dueAtMs = Math.min(dueAtMs, waitsUntil - GRAIN_MS, call.deadline - takesMs - GRAIN_MS);
      entry = this.#queue.after(entry);
    }
    return { nowMs, oldestAtMs, dueAtMs };
  }

  #dispatch(count: number, now: number): void {
    const entries: QueueEntry[] = [];
    for (let i = 0; i < count; i++) {
      const entry = this.#queue.first;
      if (!entry) throw bug('a batch holds more requests than the queue');
      this.#leave(entry);
      entry.state = 'running';
      entry.call.timings.dispatchedAt = now;
      entries.push(entry);
    }
    this.#execution.run(entries);
  }

  /** One request's bad values must not lose the others': each of a failed batch is tried once more, by itself. */
  #failed(entries: readonly QueueEntry[], error: RuntimeError): void {
    const retry = entries.length > 1 && error.code === 'BACKEND_FAILED' && !this.#closed;
    if (!retry) {
      for (const entry of entries) entry.fail(error);
      return;
    }
    for (const entry of [...entries].reverse()) {
      if (entry.state === 'done') continue;
      entry.alone = true;
      entry.state = 'waiting';
      this.#queue.pushFront(entry);
      this.#parts.statistics.pending++;
      this.#parts.wheel.schedule(entry, entry.call.deadline);
    }
    this.#candidate.reset();
    this.#pump();
  }
}

export function shuttingDown(): RuntimeError {
  const text =
    'Server is stopping, scheduler for model has stopped accepting new inference requests';
  return new RuntimeError('SHUTTING_DOWN', text);
}
