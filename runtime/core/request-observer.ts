// PORT: who wants to know of every request that has ended: the access log, traces. Where nobody does, nothing is collected.

import type { LegFacts, Timings } from './call.js';
import type { RuntimeError } from './errors.js';

export interface FinishedRequest {
  /** As asked for; '' when the message could not be read. */
  readonly modelName: string;
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
  /** The first value of a header of the call, by its name in lower case. */
  metadata(key: string): string | undefined;
}

export interface RequestObserver {
  /** After the answer has left, or waits for its turn in a stream. Must not throw. */
  requestFinished(request: FinishedRequest): void;
}
