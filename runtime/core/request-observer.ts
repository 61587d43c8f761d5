// PORT: who wants to know of every request that has ended: the access log, traces. Where nobody does, nothing is collected.

import type { Call, Headers, LegFacts, Timings } from './call.js';
import type { RuntimeError } from './errors.js';

/** The trace of a request that is sent on to other servers before its own spans are made. */
export interface RequestTrace {
  /** As of TraceSource; undefined: they are to decide for themselves. */
  headersFor(call: Call): Headers | undefined;
}

/** What is known of a request while it is under way. */
export interface RequestFacts {
  /** As asked for; '' when the message could not be read. */
  readonly modelName: string;
  /** The first value of a header of the call, by its name in lower case. */
  readonly metadata: (key: string) => string | undefined;
}

export interface FinishedRequest extends RequestFacts {
  /** '' when no version was found. */
  readonly modelVersion: string;
  readonly id: string;
  /** What was not reached is 0. */
  readonly timings: Timings;
  /** What was sent on for it; empty for a model that asks no other. */
  readonly legs: readonly LegFacts[];
  /** On the clock's scale, like the timings. */
  readonly endedAt: number;
  /** Undefined: it was answered. */
  readonly error: RuntimeError | undefined;
  /** What `traceOf` has said of it, null where that was undefined; undefined: nobody has asked. */
  readonly trace: RequestTrace | null | undefined;
}

export interface RequestObserver {
  /** After the answer has left, or waits for its turn in a stream. Must not throw. */
  requestFinished(request: FinishedRequest): void;
  /**
   * Settles, once for a request and when something is first sent to another server for it, whether and as what it is traced. Undefined:
   * nobody here traces requests of that model. Must not throw.
   */
  traceOf?(request: RequestFacts): RequestTrace | undefined;
}
