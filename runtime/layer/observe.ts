// Counts what became of each request of one model version. The only instrumentation on the road: everything that is shown
// later is computed from these counts and from the timings of the call.

import type { Call } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import type { RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse } from '../core/inference.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import type { Layer, Reply, Servable } from '../core/servable.js';

export function observe(statistics: ModelStatistics, clock: Clock): Layer {
  return (inner) => new ObservedServable(inner, statistics, clock);
}

class ObservedServable implements Servable {
  readonly #inner: Servable;
  readonly #statistics: ModelStatistics;
  readonly #clock: Clock;

  constructor(inner: Servable, statistics: ModelStatistics, clock: Clock) {
    this.#inner = inner;
    this.#statistics = statistics;
    this.#clock = clock;
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    this.#inner.infer(request, call, new ObservedReply(this, call, reply));
  }

  finished(call: Call, error: RuntimeError | undefined): void {
    const now = this.#clock.now();
    if (error) this.#statistics.failed(error.code, now - call.timings.receivedAt);
    else this.#statistics.succeeded(call.timings, now);
  }
}

class ObservedReply implements Reply {
  readonly #observed: ObservedServable;
  readonly #call: Call;
  readonly #reply: Reply;

  constructor(observed: ObservedServable, call: Call, reply: Reply) {
    this.#observed = observed;
    this.#call = call;
    this.#reply = reply;
  }

  response(response: InferenceResponse): void {
    this.#reply.response(response);
  }

  /** The answer leaves first: counting keeps nobody waiting. */
  end(error?: RuntimeError): void {
    this.#reply.end(error);
    this.#observed.finished(this.#call, error);
  }
}
