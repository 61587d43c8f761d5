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

import type { ModelConfig } from '../config/model-config.js';
import type { Call } from '../core/call.js';
import type { Clock, Timer } from '../core/clock.js';
import { earliest } from '../core/deadline.js';
import { RuntimeError, bug } from '../core/errors.js';
import type { InferenceRequest } from '../core/inference.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import type { Reply, Servable } from '../core/servable.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import { Admission, queueFull, queueTimeoutMs, tooLate } from './admission.js';
import { sameShapeTest } from './batch.js';
import { BatchCandidate, decideBatch } from './batch-decision.js';
import { BatchExecution } from './batch-execution.js';
import type { BatchRunner } from './batch-runner.js';
import { QueueEntry, type EntryOwner } from './queue-entry.js';
import { ResponseOrder } from './response-order.js';
import type { WaitingRequests } from './waiting-requests.js';

export interface BatchSchedulerParts {
  readonly config: ModelConfig;
  /** Decimal text, as responses carry it. */
  readonly version: string;
  readonly runner: BatchRunner;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly statistics: ModelStatistics;
}

export class BatchScheduler implements Servable, EntryOwner {
  readonly #parts: BatchSchedulerParts;
  readonly #admission: Admission;
  readonly #queue: WaitingRequests;
  /** The first has waited longest, or nobody asks who has. */
  readonly #isByArrival: boolean;
  readonly #pumpNow = (): void => this.#pump();
  readonly #candidate: BatchCandidate<QueueEntry>;
  /** Undefined: responses leave as they are ready. */
  readonly #responseOrder: ResponseOrder | undefined;
  readonly #execution: BatchExecution;
  #pumpDeferred = false;
  #timer: Timer;
  #timerAt = Infinity;
  /** What is answered since the scheduler was closed. */
  #closed: RuntimeError | undefined;

  constructor(parts: BatchSchedulerParts) {
    this.#parts = parts;
    this.#admission = new Admission(parts.config.batching);
    this.#queue = this.#admission.createQueue();
    this.#isByArrival = this.#admission.isByArrival || parts.config.batching.maxDelayMs === 0;
    this.#responseOrder = parts.config.batching.preserveOrdering ? new ResponseOrder() : undefined;
    this.#candidate = new BatchCandidate(parts.config.batching, sameShapeTest(parts.config));
    this.#execution = new BatchExecution(parts, (entries, error) => this.#failed(entries, error));
    parts.runner.onIdle(this.#pumpNow);
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    const now = this.#parts.clock.now();
    const level = this.#admission.levelOf(request);
    const policy = this.#admission.policyOf(level);
    const computeMs = this.#expectedComputeMs();
    const refusal =
      this.#callRefusal(call, now, computeMs) ??
      (this.#queue.sizeAt(level) < policy.maxQueueSize ? undefined : queueFull(request));
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
    this.#disarm();
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
    else this.#deferPump();
  }

  #deferPump(): void {
    if (this.#pumpDeferred) return;
    this.#pumpDeferred = true;
    this.#parts.clock.defer(this.#pumpNow);
  }

  /** Out of the queue, for whatever reason. */
  #leave(entry: QueueEntry): void {
    this.#queue.remove(entry);
    this.#parts.wheel.cancel(entry);
    this.#parts.statistics.pending--;
    this.#candidate.reset();
    if (this.#queue.size === 0) this.#disarm();
  }

  #pump(): void {
    this.#pumpDeferred = false;
    this.#disarm();
    const { runner, clock, config } = this.#parts;
    while (runner.idle > 0) {
      const { first } = this.#queue;
      if (!first) return;
      const candidate = this.#gather(first);
      const decision = decideBatch(candidate, config.batching, {
        nowMs: clock.now(),
        oldestAtMs: this.#oldestAt(first, candidate.count),
      });
      if (decision.kind === 'idle') return;
      if (decision.kind === 'wait') {
        this.#arm(decision.untilMs);
        return;
      }
      if (config.batching.combine) this.#parts.statistics.closed[decision.reason]++;
      this.#dispatch(decision.count);
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

  /** Since when the one has waited that has waited longest of the first `count`. */
  #oldestAt(first: QueueEntry, count: number): number {
    let oldestAt = first.call.timings.queuedAt;
    if (this.#isByArrival) return oldestAt;
    let entry = first;
    for (let left = count - 1; left > 0; left--) {
      entry = this.#queue.after(entry)!;
      oldestAt = Math.min(oldestAt, entry.call.timings.queuedAt);
    }
    return oldestAt;
  }

  #dispatch(count: number): void {
    const entries: QueueEntry[] = [];
    const now = this.#parts.clock.now();
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

  #arm(untilMs: number): void {
    const { clock } = this.#parts;
    const delayMs = untilMs - clock.now();
    // Finer than timers are: look again and again, between the events.
    if (delayMs < 1) {
      this.#deferPump();
      return;
    }
    this.#timerAt = untilMs;
    this.#timer = clock.setTimer(this.#pumpNow, delayMs);
  }

  #disarm(): void {
    if (this.#timerAt === Infinity) return;
    this.#parts.clock.clearTimer(this.#timer);
    this.#timerAt = Infinity;
  }
}

export function shuttingDown(): RuntimeError {
  const text =
    'Server is stopping, scheduler for model has stopped accepting new inference requests';
  return new RuntimeError('SHUTTING_DOWN', text);
}
