// The queue of one model version and the pump that turns it into batches. Three events, one pump: a request came, an
// instance became idle, the timer fired. Nothing else starts a batch, and decideBatch (pure) says when and how large.
//
// While all instances are busy nothing is decided: requests pool up and the next idle instance takes what is there. A
// request that arrives while an instance is idle is decided upon after the events already here, so that requests that came
// in one read of a socket go together. Delays below a millisecond mean just that.
//
// Timeouts and cancellations answer a waiting request at once; a running one is computed to its end and discarded.

import type { ModelConfig, QueuePolicy } from '../config/model-config.js';
import type { Call } from '../core/call.js';
import type { Clock, Timer } from '../core/clock.js';
import { earliest } from '../core/deadline.js';
import { RuntimeError, bug } from '../core/errors.js';
import { requestIdPrefix, type InferenceRequest } from '../core/inference.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import type { Reply, Servable } from '../core/servable.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import { sameShapeTest } from './batch.js';
import { BatchCandidate, decideBatch } from './batch-decision.js';
import { batchFormOf, type BatchForm } from './batch-form.js';
import type { BatchFeed, BatchResult, BatchRunner } from './batch-runner.js';
import { QueueEntry, type EntryOwner } from './queue-entry.js';
import { RequestQueue } from './request-queue.js';

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
  readonly #policy: QueuePolicy;
  readonly #queue = new RequestQueue();
  readonly #pumpNow = (): void => this.#pump();
  readonly #candidate: BatchCandidate<QueueEntry>;
  readonly #form: BatchForm;
  #pumpDeferred = false;
  #timer: Timer;
  #timerAt = Infinity;
  /** What is answered since the scheduler was closed. */
  #closed: RuntimeError | undefined;

  constructor(parts: BatchSchedulerParts) {
    this.#parts = parts;
    this.#policy = parts.config.batching.queuePolicy;
    this.#candidate = new BatchCandidate(parts.config.batching, sameShapeTest(parts.config));
    this.#form = batchFormOf(parts.config);
    parts.runner.onIdle(this.#pumpNow);
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    const now = this.#parts.clock.now();
    const refusal = this.#refusal(request, call, now);
    if (refusal) {
      reply.end(refusal);
      return;
    }
    const rows = this.#parts.config.batched ? (request.inputs[0]?.shape[0] ?? 1) : 1;
    const entry = new QueueEntry(this, { request, call, reply }, rows);
    call.timings.queuedAt = now;
    const timeoutAt = now + this.#timeoutMs(request);
    call.onCancel(entry);
    this.#parts.wheel.schedule(entry, earliest(call.deadline, timeoutAt));
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
    if (this.#parts.clock.now() >= entry.call.deadline) {
      this.#leave(entry);
      entry.fail(deadlineExceeded());
    } else if (this.#policy.timeoutAction === 'DELAY') {
      this.#queue.delay(entry);
      this.#candidate.reset();
      this.#parts.wheel.schedule(entry, entry.call.deadline);
    } else {
      this.#leave(entry);
      entry.fail(new RuntimeError('QUEUE_TIMEOUT', 'Request timeout expired'));
    }
  }

  entryCancelled(entry: QueueEntry): void {
    if (this.#queue.has(entry)) this.#leave(entry);
    entry.fail(new RuntimeError('CANCELLED', 'Request was cancelled'));
  }

  #refusal(request: InferenceRequest, call: Call, now: number): RuntimeError | undefined {
    if (this.#closed) return this.#closed;
    if (call.cancelled) return new RuntimeError('CANCELLED', 'Request was cancelled');
    if (now >= call.deadline) return deadlineExceeded();
    if (this.#queue.size < this.#policy.maxQueueSize) return undefined;
    return new RuntimeError('QUEUE_FULL', `${requestIdPrefix(request)}Exceeds maximum queue size`);
  }

  /** A request may shorten the model's timeout where the policy lets it, never lengthen it. */
  #timeoutMs({ parameters }: InferenceRequest): number {
    const { allowTimeoutOverride, defaultTimeoutMs } = this.#policy;
    if (allowTimeoutOverride && parameters.timeoutMs > 0)
      return Math.min(parameters.timeoutMs, defaultTimeoutMs);
    return defaultTimeoutMs;
  }

  #accept(entry: QueueEntry): void {
    this.#queue.push(entry);
    this.#parts.statistics.pending++;
    if (this.#queue.hasDelayed) this.#candidate.reset();
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
      const oldest = this.#queue.first;
      if (!oldest) return;
      const decision = decideBatch(this.#gather(oldest), config.batching, {
        nowMs: clock.now(),
        oldestAtMs: oldest.call.timings.queuedAt,
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
  #gather(oldest: QueueEntry): BatchCandidate<QueueEntry> {
    if (this.#candidate.count > 0) return this.#candidate;
    for (let entry: QueueEntry | undefined = oldest; entry; entry = entry.queueNext) {
      if (this.#candidate.closed !== undefined) break;
      this.#candidate.add(entry);
    }
    return this.#candidate;
  }

  #dispatch(count: number): void {
    const { clock, runner, statistics } = this.#parts;
    const entries: QueueEntry[] = [];
    const now = clock.now();
    for (let i = 0; i < count; i++) {
      const entry = this.#queue.first;
      if (!entry) throw bug('a batch holds more requests than the queue');
      this.#leave(entry);
      entry.state = 'running';
      entry.call.timings.dispatchedAt = now;
      entries.push(entry);
    }
    let feed: BatchFeed;
    try {
      feed = this.#form.merge(entries);
    } catch (thrown) {
      // It is too large for one buffer; each for itself may not be.
      const text = `a batch of ${count} requests cannot be built: ${RuntimeError.from(thrown).message}`;
      this.#failed(entries, new RuntimeError('BACKEND_FAILED', text));
      return;
    }
    runner.run(feed).then(
      (result) => this.#completed(entries, feed.rows, result),
      (thrown: unknown) => {
        statistics.busyMs += clock.now() - now;
        this.#failed(entries, RuntimeError.from(thrown));
      },
    );
  }

  #completed(entries: readonly QueueEntry[], rows: number, result: BatchResult): void {
    const { clock, version, statistics } = this.#parts;
    const { dispatchedAt } = entries[0]!.call.timings;
    const now = clock.now();
    statistics.busyMs += now - dispatchedAt;
    let responses;
    try {
      responses = this.#form.split(version, { entries, rows, result });
    } catch (thrown) {
      this.#failed(entries, RuntimeError.from(thrown));
      return;
    }
    const times = computeTimes(dispatchedAt, now, result);
    statistics.executed(rows, times);
    entries.forEach((entry, i) => {
      const { timings } = entry.call;
      timings.completedAt = times.completedAt;
      timings.batchSize = rows;
      timings.inputMs = times.inputMs;
      timings.inferMs = times.inferMs;
      timings.outputMs = times.outputMs;
      entry.succeed(responses[i]!);
    });
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

function shuttingDown(): RuntimeError {
  const text =
    'Server is stopping, scheduler for model has stopped accepting new inference requests';
  return new RuntimeError('SHUTTING_DOWN', text);
}

function deadlineExceeded(): RuntimeError {
  const text = 'Deadline exceeded before the request could be executed';
  return new RuntimeError('DEADLINE_EXCEEDED', text);
}

/** The way to the thread and back is counted as input: with what the thread measured it makes up the whole. */
function computeTimes(
  dispatchedAt: number,
  now: number,
  { inferMs, outputMs }: BatchResult,
): { completedAt: number; inputMs: number; inferMs: number; outputMs: number } {
  const inputMs = Math.max(now - dispatchedAt - inferMs - outputMs, 0);
  return { completedAt: now, inputMs, inferMs, outputMs };
}
