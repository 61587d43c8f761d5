// One call in progress: when it must be done, whether anybody still waits for it, and when it passed which point of the road.
// Made once at the door and handed on unchanged; pipelines make a child for each leg.

import { NO_DEADLINE, earliest, type Deadline } from './deadline.js';
import type { RuntimeError } from './errors.js';

/** Points in time on the clock's scale in ms; 0: not reached. Durations measured in a thread are durations. */
export class Timings {
  receivedAt = 0;
  queuedAt = 0;
  dispatchedAt = 0;
  completedAt = 0;
  /** Rows of the batch the request was executed in. */
  batchSize = 0;
  /** Answered from the response cache: by no batch, and waited for by nobody. */
  cached = false;
  inputMs = 0;
  inferMs = 0;
  outputMs = 0;

  /** What a leg needed counts for the request it was sent for: one leg after the other, and side by side. */
  add(leg: Timings): void {
    this.queuedAt = firstOf(this.queuedAt, leg.queuedAt);
    this.dispatchedAt = firstOf(this.dispatchedAt, leg.dispatchedAt);
    this.completedAt = Math.max(this.completedAt, leg.completedAt);
    this.batchSize = Math.max(this.batchSize, leg.batchSize);
    this.inputMs += leg.inputMs;
    this.inferMs += leg.inferMs;
    this.outputMs += leg.outputMs;
  }

  /** The leg that was answered is all there is to say of the request. */
  take(leg: Timings): void {
    this.queuedAt = leg.queuedAt;
    this.dispatchedAt = leg.dispatchedAt;
    this.completedAt = leg.completedAt;
    this.batchSize = leg.batchSize;
    this.cached = leg.cached;
    this.inputMs = leg.inputMs;
    this.inferMs = leg.inferMs;
    this.outputMs = leg.outputMs;
  }
}

/** 0 is none. */
function firstOf(one: number, other: number): number {
  if (one === 0 || other === 0) return one || other;
  return Math.min(one, other);
}

/** An object and not a function, so that waiting for a cancellation costs no closure per request. */
export interface CancelListener {
  callCancelled(): void;
}

/** Answers of one call that may be on their way to their reader: enough to keep the way filled. */
export const MOST_UNREAD = 16;
/** Large ones are fewer: together not much more than that. */
export const MOST_UNREAD_BYTES = 2 ** 20;

/** How much of MOST_UNREAD an answer takes: most of them one, a large one all of it. */
export function unreadShare(bytes: number): number {
  const each = MOST_UNREAD_BYTES / MOST_UNREAD;
  return Math.min(1 + Math.floor(bytes / each), MOST_UNREAD);
}

/** Told once, when a reader who was behind has room for more, or has gone. */
export interface PaceListener {
  readerReady(): void;
}

/** How fast the answers of a call are read, for models that give more than one. */
export interface Pace {
  /** Too many of them wait for their reader. */
  readonly isBehind: boolean;
  onReady(listener: PaceListener): void;
}

/** Headers of a call to another server, by their names in lower case. */
export type Headers = readonly (readonly [name: string, value: string])[];

/** Knows the trace of a request, so that what is sent to other servers for it becomes part of the same trace. */
export interface TraceSource {
  /** `call`: that of the request or of one of its legs, under which something is sent now. Undefined: there is nothing to tell. */
  traceHeaders(call: Call): Headers | undefined;
}

/** What it takes to answer one request, for who asks; the legs of the request count in it. */
export class Effort {
  /** How often it was given to a model. */
  attempts = 0;
  hedged = false;
}

/** What a call knows of a leg that was sent for it. */
export interface LegFacts {
  readonly target: { readonly name: string };
  readonly modelName: string;
  /** '' unless it was answered. */
  readonly modelVersion: string;
  readonly call: Call;
  /** On the clock's scale; 0: it has not ended. It began when its call was received. */
  readonly endedAt: number;
  readonly error: RuntimeError | undefined;
}

const NO_CALLERS: readonly string[] = [];

export class Call implements CancelListener {
  readonly deadline: Deadline;
  readonly timings = new Timings();
  /** "model place" where it was sent already, by what chooses among several places; legs of one request share it. */
  tried: string[] | undefined;
  /** Models whose code sent this on, the outermost first; legs of their legs included. */
  callers: readonly string[] = NO_CALLERS;
  /** Of the request of the innermost model that says so; undefined: nobody counts. */
  effort: Effort | undefined;
  /** Undefined: answers are taken as they come. */
  pace: Pace | undefined;
  /** Undefined: the server itself asks. */
  trace: TraceSource | undefined;
  /** Its deadline is one that the configuration has set, before its caller's: who misses it has been too slow. */
  isLimited = false;
  /** "name:version" of models that have failed and for which others are asked now, so that fallbacks never go in circles. */
  replaced: readonly string[] | undefined;
  /** Of a leg: it has ended, and nothing that it sent is under way. */
  isOver = false;
  /** What it is a part of, through however many legs; undefined: nothing. */
  #root: Call | undefined;
  #legs: LegFacts[] | undefined;
  /** Legs of it and of all its legs. */
  #legCount = 0;
  #cancelled = false;
  #listeners: CancelListener[] | undefined;
  /** So many listeners are looked through for those that are over. */
  #tidyAt = TIDY_AT;

  constructor(receivedAt: number, deadline: Deadline = NO_DEADLINE) {
    this.deadline = deadline;
    this.timings.receivedAt = receivedAt;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** What was sent on for it, in order; of very many, those of its legs included, the first. */
  get legs(): readonly LegFacts[] {
    return this.#legs ?? NO_LEGS;
  }

  sent(leg: LegFacts): void {
    const root = this.#root ?? this;
    if (root.#legCount >= MOST_LEGS) return;
    root.#legCount++;
    (this.#legs ??= []).push(leg);
  }

  /** Nobody waits for the answer any more. Listeners run once, in the order in which they came. */
  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners) for (const listener of listeners) listener.callCancelled();
  }

  /** Tells `listener` when the call is cancelled, at once if it already is. A listener that no longer cares ignores it. */
  onCancel(listener: CancelListener): void {
    if (this.#cancelled) listener.callCancelled();
    else if ((this.#listeners ??= []).push(listener) >= this.#tidyAt) this.#tidy(this.#listeners);
  }

  /** A leg has ended and nothing that it sent is under way: who was to be told of a cancellation need not be kept. */
  over(): void {
    this.isOver = true;
    this.#listeners = undefined;
    this.pace = undefined;
  }

  /** A child is cancelled with its parent. */
  callCancelled(): void {
    this.cancel();
  }

  /**
   * A call for one leg: cancelled with this one, or alone; due no later than this one. `deadline` is a limit on the leg, unless
   * `isLimit` says that it only keeps back time for others.
   */
  child(receivedAt: number, deadline: Deadline = NO_DEADLINE, isLimit = true): Call {
    const child = new Call(receivedAt, earliest(this.deadline, deadline));
    child.#root = this.#root ?? this;
    child.tried = this.tried;
    child.callers = this.callers;
    child.effort = this.effort;
    child.pace = this.pace;
    child.trace = this.trace;
    child.replaced = this.replaced;
    child.isLimited = this.isLimited || (isLimit && deadline < this.deadline);
    this.onCancel(child);
    return child;
  }

  /** A call that sends legs for hours keeps those that are under way, not all that ever were. */
  #tidy(listeners: readonly CancelListener[]): void {
    const left = listeners.filter((it) => !(it instanceof Call && it.isOver));
    this.#listeners = left;
    this.#tidyAt = Math.max(TIDY_AT, 2 * left.length);
  }
}

const TIDY_AT = 64;
/** Of one request. Spans tell of no more. */
const MOST_LEGS = 1000;

const NO_LEGS: readonly LegFacts[] = [];
