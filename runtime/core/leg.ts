// A leg: one request that a pipeline or a layer sends on. It has a call of its own, which is cancelled with its parent or alone, may
// have less time than its parent, and ends exactly once for whoever sent it: what comes after that is dropped.

import type { Call } from './call.js';
import type { Clock } from './clock.js';
import { isDue, type Deadline } from './deadline.js';
import { RuntimeError } from './errors.js';
import type { InferenceRequest, InferenceResponse } from './inference.js';
import { LatencyDigest } from './latency-digest.js';
import type { Reply, Servable } from './servable.js';
import { TimerNode, type TimerWheel } from './timer-wheel.js';

/** What became of the legs that were sent to one place. */
export class LegFigures {
  sent = 0;
  answered = 0;
  /** Those that timed out included; those that were given up are not. */
  failed = 0;
  timedOut = 0;
  /** Nobody waited for them any more. */
  abandoned = 0;
  /** Rows of the legs that were sent. */
  rows = 0;
  /** Of those that were answered. */
  totalMs = 0;
  readonly latency = new LatencyDigest();
  #medianMs = 0;
  #medianAt = -Infinity;
  #lastMs = Infinity;
  #sentAt = -Infinity;

  /** @internal */
  wasSent(rows: number, now: number): void {
    this.sent++;
    this.rows += rows;
    this.#sentAt = now;
  }

  /** @internal */
  wasAnswered(ms: number, now: number): void {
    this.answered++;
    this.totalMs += ms;
    this.#lastMs = ms;
    this.latency.add(ms * 1000, now);
  }

  /**
   * The time without which a leg is not worth sending: what half of those of late took, up to MEDIAN_AGE_MS ago. Less where the last one
   * took less, and 0 where nothing is known or nothing has been sent for a while: what was slow once must be able to show that it is not.
   */
  neededMs(now: number): number {
    if (now - this.#sentAt >= UNSEEN_MS) return 0;
    if (now - this.#medianAt >= MEDIAN_AGE_MS) {
      this.#medianMs = (this.latency.quantile(0.5, now) || 0) / 1000;
      this.#medianAt = now;
    }
    return Math.min(this.#medianMs, this.#lastMs);
  }
}

const MEDIAN_AGE_MS = 100;
const UNSEEN_MS = 1000;

/** Where legs are sent. */
export interface LegTarget {
  /** What spans call it: "step 0", "hedge 1". */
  readonly name: string;
  readonly servable: Servable;
  readonly figures: LegFigures;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
}

export interface LegTime {
  readonly parent: Call;
  /** Of this leg alone, if it is before that of `parent`. */
  readonly deadline?: Deadline;
  /** False: the deadline only keeps back time for others, so that to miss it is no fault. */
  readonly isLimit?: boolean;
}

export class Leg extends TimerNode implements Reply {
  readonly target: LegTarget;
  readonly call: Call;
  /** Undefined: it has heard the end. Calls remember their legs, and those who hear them may hold much. */
  #reply: Reply | undefined;
  readonly #hasOwnDeadline: boolean;
  readonly #isLimit: boolean;
  /** Who is asked; '' before. The request itself is not kept: its sender may live for much longer. */
  modelName = '';
  /** On the clock's scale; 0: it has not ended. */
  endedAt = 0;
  /** Why it failed, if it did. */
  error: RuntimeError | undefined;
  /** It had its time, and that was less than its parent has. */
  timedOut = false;
  /** Of the version that answered; '' before. */
  modelVersion = '';

  constructor(target: LegTarget, reply: Reply, { parent, deadline, isLimit = true }: LegTime) {
    super();
    this.target = target;
    this.#reply = reply;
    this.#isLimit = isLimit;
    const { clock, wheel } = target;
    this.call = parent.child(clock.now(), deadline, isLimit);
    parent.sent(this);
    this.#hasOwnDeadline = this.call.deadline < parent.deadline;
    if (this.#hasOwnDeadline) wheel.schedule(this, this.call.deadline);
  }

  get ended(): boolean {
    return this.endedAt !== 0;
  }

  send(request: InferenceRequest, rows = 1): void {
    this.modelName = request.modelName;
    const { figures, servable } = this.target;
    figures.wasSent(rows, this.call.timings.receivedAt);
    servable.infer(request, this.call, this);
  }

  /** Its sender waits no longer and hears nothing more. Where it has not begun to run it never will. */
  abandon(): void {
    if (this.ended) return;
    this.target.figures.abandoned++;
    this.#finish();
    this.#reply = undefined;
    this.call.cancel();
  }

  response(response: InferenceResponse): void {
    if (this.ended) return;
    this.modelVersion = response.modelVersion;
    this.#reply!.response(response);
  }

  end(error?: RuntimeError): void {
    if (this.ended) return;
    this.#conclude(error);
    this.call.over();
  }

  /** @internal */
  onDue(): void {
    // What was due at the same moment may have ended it.
    if (this.ended) return;
    const ms = Math.round(this.call.deadline - this.call.timings.receivedAt);
    const whose = this.#isLimit
      ? `(${this.target.name})`
      : 'and the time that is left is for others';
    const text = `model '${this.modelName}' did not answer within ${ms} ms ${whose}`;
    this.#conclude(new RuntimeError('DEADLINE_EXCEEDED', text));
    this.call.cancel();
  }

  // ---- details below; callers need not read ----

  #conclude(error: RuntimeError | undefined): void {
    const reply = this.#reply!;
    this.#reply = undefined;
    this.#finish();
    this.error = error;
    this.#count(error);
    reply.end(error);
  }

  #finish(): void {
    this.endedAt = this.target.clock.now();
    this.target.wheel.cancel(this);
    this.call.isOver = true;
  }

  /** Whom it asked keeps its deadline, too, and may have been first to say so. */
  #isLate({ code }: RuntimeError): boolean {
    return (
      this.#hasOwnDeadline &&
      code === 'DEADLINE_EXCEEDED' &&
      isDue(this.call.deadline, this.endedAt)
    );
  }

  #count(error: RuntimeError | undefined): void {
    const { figures } = this.target;
    if (error) {
      this.timedOut = this.#isLate(error);
      if (this.timedOut) figures.timedOut++;
      if (error.code === 'CANCELLED' && this.call.cancelled) figures.abandoned++;
      else figures.failed++;
      return;
    }
    const ms = this.endedAt - this.call.timings.receivedAt;
    figures.wasAnswered(ms, this.endedAt);
  }
}
