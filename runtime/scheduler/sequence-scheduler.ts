// The scheduler of a model whose requests belong to sequences. A sequence begins with START, gets a slot or waits for one in the
// backlog, runs one request after the other, and ends with END, when it has been idle for too long, or when one of its requests is
// lost (cancelled, late): the steps behind it would compute on a state that is not theirs. With it goes its state.
//
// As with the batch scheduler, three events lead to one pump, and nothing else starts a batch.

import type { Call } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import { RuntimeError, bug } from '../core/errors.js';
import type { InferenceRequest } from '../core/inference.js';
import type { Log } from '../core/log.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import type { Reply, Servable } from '../core/servable.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import type { ModelConfig } from '../config/model-config.js';
import { tooLate } from './admission.js';
import { computeTimes } from './batch-execution.js';
import { shuttingDown } from './batch-scheduler.js';
import type { RunnerSlots } from './batch-runner.js';
import { OrderedAnswers } from './ordered-answers.js';
import { PumpTimer } from './pump-timer.js';
import type { EntryOwner } from './queue-entry.js';
import { lostWithInstance, restartWarning, sequenceProblem } from './sequence-admission.js';
import { sequenceIdOf } from './sequence-id.js';
import { SequenceTable } from './sequence-table.js';
import type { SequenceBatch, SequenceSlots } from './sequence-slots.js';
import { SequenceEntry, type Sequence, type SequenceOwner } from './sequence.js';
import type { StepExecution, StepsResult } from './step-execution.js';

export interface SequenceSchedulerParts {
  readonly config: ModelConfig;
  /** Says when there may be a batch. */
  readonly runner: RunnerSlots;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly statistics: ModelStatistics;
  readonly log: Log;
  readonly slots: SequenceSlots;
  readonly execution: StepExecution;
}

export class SequenceScheduler implements Servable, EntryOwner, SequenceOwner {
  readonly #parts: SequenceSchedulerParts;
  readonly #slots: SequenceSlots;
  readonly #table: SequenceTable;
  readonly #timer: PumpTimer;
  /** Undefined: responses leave as they are ready. */
  readonly #orderedAnswers: OrderedAnswers | undefined;
  /** What is answered since the scheduler was closed. */
  #closed: RuntimeError | undefined;

  constructor(parts: SequenceSchedulerParts) {
    const { config, clock, wheel, slots } = parts;
    const pump = (): void => this.#pump();
    this.#parts = parts;
    this.#slots = slots;
    this.#table = new SequenceTable(this, {
      ...{ slots, clock, wheel },
      idleMs: config.sequence?.idleMs ?? Infinity,
      counts: (parts.statistics.sequences = { slot: 0, backlog: 0 }),
    });
    if (config.sequence?.preserveOrdering)
      this.#orderedAnswers = new OrderedAnswers((answered) => this.#table.settle(answered));
    this.#timer = new PumpTimer(clock, pump);
    parts.runner.onIdle(pump);
    slots.onLost?.((sequences) => this.#lose(sequences));
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    const id = sequenceIdOf(request);
    const known = this.#table.find(id);
    const isKnown = known !== undefined;
    const problem = this.#closed ?? sequenceProblem(this.#parts.config, request, isKnown);
    if (problem) {
      reply.end(problem);
      return;
    }
    const loss = this.#loss(call);
    if (loss) {
      if (known) this.#drop(known, cancelled());
      reply.end(loss);
      return;
    }
    if (known && request.parameters.sequenceStart) {
      const { log, config } = this.#parts;
      log.warn({ model: config.name }, restartWarning(config, id));
    }
    this.#accept(new SequenceEntry(this, { request, call, reply }, known ?? this.#table.begin(id)));
  }

  /** Sequences that have begun and not ended. */
  get sequences(): number {
    return this.#table.size;
  }

  /** There are that many instances from now on; sequences that have a slot keep it. */
  resize(instances: number): void {
    this.#slots.resize(instances);
    this.#table.refill();
    this.#pumpSoon();
  }

  /** Requests still waiting are answered with `error`, and their sequences end; those that come are served. */
  refuseWaiting(error: RuntimeError): void {
    for (const sequence of this.#table.all)
      if (sequence.waiting.length > 0) this.#drop(sequence, error);
  }

  /** Requests still waiting, and those that come, are answered with `error`; those running finish. All sequences end. */
  close(error: RuntimeError = shuttingDown()): void {
    this.#closed ??= error;
    for (const sequence of this.#table.all) this.#drop(sequence, error);
    this.#timer.disarm();
  }

  // ---- details below; callers need not read ----

  entryDue(entry: SequenceEntry): void {
    const { sequence } = entry;
    sequence.waiting.splice(sequence.waiting.indexOf(entry), 1);
    this.#left(entry);
    this.#drop(sequence, cancelled());
    entry.fail(tooLate(entry.call, entry.call.deadline, 0));
  }

  entryCancelled(entry: SequenceEntry): void {
    this.#drop(entry.sequence, cancelled());
    entry.fail(cancelled());
  }

  sequenceDue(sequence: Sequence): void {
    // One that was due at the same time may have changed that: its slot freed, its answer followed by the next request.
    if (sequence.place === 'gone' || sequence.isBusyInSlot) return;
    if (sequence.place === 'backlog') {
      const text = 'timeout of the corresponding sequence has been expired';
      this.#drop(sequence, new RuntimeError('QUEUE_TIMEOUT', text));
      return;
    }
    this.#table.end(sequence);
    this.#table.settle(sequence);
    this.#pumpSoon();
  }

  #loss(call: Call): RuntimeError | undefined {
    if (call.cancelled) return cancelled();
    const now = this.#parts.clock.now();
    return now >= call.deadline ? tooLate(call, now, 0) : undefined;
  }

  #accept(entry: SequenceEntry): void {
    const { sequence, call, request } = entry;
    const { clock, wheel, statistics } = this.#parts;
    const now = (call.timings.queuedAt = clock.now());
    statistics.pending++;
    sequence.waiting.push(entry);
    wheel.schedule(entry, call.deadline);
    call.onCancel(entry);
    const { timeoutMs } = request.parameters;
    if (timeoutMs > 0) this.#table.limitWaiting(sequence, now + timeoutMs);
    if (entry.isEnd) this.#table.end(sequence);
    this.#table.settle(sequence);
    this.#pumpSoon();
  }

  /** It waits no longer, for whatever reason. */
  #left(entry: SequenceEntry): void {
    this.#parts.wheel.cancel(entry);
    this.#parts.statistics.pending--;
  }

  /** The sequence ends here: what waits of it is answered with `error`, what runs finishes. */
  #drop(sequence: Sequence, error: RuntimeError): void {
    this.#table.end(sequence);
    const waiting = sequence.waiting.splice(0);
    for (const entry of waiting) this.#left(entry);
    this.#table.settle(sequence);
    for (const entry of waiting) entry.fail(error);
    this.#pumpSoon();
  }

  /** Their instance remembers nothing of them; those that have not begun lose nothing by that. */
  #lose(sequences: readonly Sequence[]): void {
    for (const sequence of sequences)
      if (sequence.hasBegun)
        this.#drop(sequence, lostWithInstance(this.#parts.config, sequence.id));
  }

  #pumpSoon(): void {
    if (!this.#slots.hasReady || this.#closed) return;
    if (this.#parts.runner.idle === 0) this.#parts.runner.awaitIdle();
    else this.#timer.defer();
  }

  #pump(): void {
    const { runner, clock } = this.#parts;
    this.#timer.disarm();
    while (runner.idle > 0) {
      const decision = this.#slots.decide(clock.now());
      if (decision.kind === 'wait') this.#timer.arm(decision.untilMs);
      if (decision.kind !== 'dispatch') return;
      this.#start(decision);
    }
    if (this.#slots.hasReady) runner.awaitIdle();
  }

  #start(batch: SequenceBatch): void {
    const { clock, config, execution, statistics } = this.#parts;
    const now = clock.now();
    this.#slots.started(batch);
    for (const entry of entriesOf(batch)) {
      entry.sequence.waiting.shift();
      entry.sequence.running = entry;
      if (entry.isStart) entry.sequence.state = undefined;
      this.#left(entry);
      this.#orderedAnswers?.started(entry);
      entry.state = 'running';
      entry.call.timings.dispatchedAt = now;
    }
    if (config.batched) statistics.closed[batch.reason]++;
    execution.run(batch).then(
      (steps) => this.#completed(batch, now, steps),
      (thrown: unknown) => {
        statistics.busyMs += clock.now() - now;
        this.#failed(batch, RuntimeError.from(thrown));
      },
    );
  }

  #completed(batch: SequenceBatch, startedAt: number, steps: StepsResult): void {
    const { clock, statistics } = this.#parts;
    const { outcomes, rows } = steps;
    const now = clock.now();
    statistics.busyMs += now - startedAt;
    const times = computeTimes(startedAt, now, steps);
    const entries = entriesOf(batch);
    statistics.executed(rows, times, entries.length);
    this.#slots.ended(batch);
    for (const entry of entries) this.#ran(entry);
    batch.rows.forEach((entry, row) => {
      if (!entry) return;
      const outcome = outcomes[row] ?? bug('a step of a sequence was run and has no outcome');
      Object.assign(entry.call.timings, times, { batchSize: rows });
      if (outcome instanceof RuntimeError) entry.fail(outcome);
      else entry.succeed(outcome);
    });
    this.#pumpSoon();
  }

  /** One step's bad values must not lose the others': each of a failed batch is tried once more, by itself, if that can be. */
  #failed(batch: SequenceBatch, error: RuntimeError): void {
    const entries = entriesOf(batch);
    const { isRepeatable } = this.#parts.execution;
    const retry =
      isRepeatable && entries.length > 1 && error.code === 'BACKEND_FAILED' && !this.#closed;
    this.#slots.ended(batch);
    for (const entry of entries) {
      if (retry && entry.state !== 'done') this.#takeBack(entry);
      this.#ran(entry);
    }
    if (!retry) for (const entry of entries) entry.fail(error);
    this.#pumpSoon();
  }

  #takeBack(entry: SequenceEntry): void {
    const { wheel, statistics } = this.#parts;
    entry.alone = true;
    entry.state = 'waiting';
    entry.sequence.waiting.unshift(entry);
    statistics.pending++;
    wheel.schedule(entry, entry.call.deadline);
  }

  #ran({ sequence }: SequenceEntry): void {
    sequence.running = undefined;
    this.#table.settle(sequence);
  }
}

function entriesOf({ rows }: SequenceBatch): SequenceEntry[] {
  return rows.filter((entry) => entry !== undefined);
}

function cancelled(): RuntimeError {
  return new RuntimeError('CANCELLED', 'Request was cancelled');
}
