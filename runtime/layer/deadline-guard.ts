// Turns away what is already late or cancelled, before it costs anything. While a request waits in a queue, the scheduler keeps
// its deadline; while it runs, the transport does.

import type { Call } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import { RuntimeError } from '../core/errors.js';
import { NO_DEADLINE } from '../core/deadline.js';
import type { InferenceRequest } from '../core/inference.js';
import type { Layer, Reply, Servable } from '../core/servable.js';

export function deadlineGuard(clock: Clock): Layer {
  return (inner) => new GuardedServable(inner, clock);
}

class GuardedServable implements Servable {
  readonly #inner: Servable;
  readonly #clock: Clock;

  constructor(inner: Servable, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    if (call.cancelled) reply.end(new RuntimeError('CANCELLED', 'Request was cancelled'));
    else if (call.deadline !== NO_DEADLINE && this.#clock.now() >= call.deadline)
      reply.end(
        new RuntimeError('DEADLINE_EXCEEDED', 'Deadline exceeded before the request was queued'),
      );
    else this.#inner.infer(request, call, reply);
  }
}
