// Leaves a model alone that fails and fails: who asks is told so at once, and the model may recover. When it is let through and to whom,
// breaker-state.ts says; what counts as its failure, core/failure-kind.ts.

import type { Call } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import { bug, RuntimeError } from '../core/errors.js';
import { isFaultOfModel } from '../core/failure-kind.js';
import type { InferenceResponse } from '../core/inference.js';
import { PipelineCounter, type PipelineNode } from '../core/pipeline-node.js';
import type { Reply, Servable } from '../core/servable.js';
import {
  BREAKER_TRANSITIONS,
  closed,
  letsThrough,
  stateAfter,
  stateAt,
  type BreakerOptions,
  type BreakerState,
  type Outcome,
} from './breaker-state.js';
import type { PolicyLayer, PolicyParts } from './policy-layer.js';

export class CircuitBreaker implements PolicyLayer {
  readonly #options: BreakerOptions;
  readonly #modelName: string;
  readonly #clock: Clock;
  readonly #shortCircuits = new PipelineCounter('short_circuits');
  readonly #transitions: Readonly<Record<BreakerState['kind'], PipelineCounter>> = {
    CLOSED: new PipelineCounter('transitions', { to: 'CLOSED' }),
    OPEN: new PipelineCounter('transitions', { to: 'OPEN' }),
    HALF_OPEN: new PipelineCounter('transitions', { to: 'HALF_OPEN' }),
  };
  #state = closed();

  constructor(options: BreakerOptions, { model, clock }: PolicyParts) {
    this.#options = options;
    this.#modelName = model.name;
    this.#clock = clock;
  }

  around(inner: Servable): Servable {
    return {
      infer: (request, call, reply) => {
        const state = this.#admit(reply);
        if (state) inner.infer(request, call, new WatchedReply(this, state, { call, reply }));
      },
    };
  }

  node(inside: PipelineNode): PipelineNode {
    const { failureThreshold, recoveryMs, halfOpenRequests } = this.#options;
    return {
      kind: 'circuit-breaker',
      name: '',
      counters: [this.#shortCircuits, ...Object.values(this.#transitions)],
      state: () => this.#state.kind,
      settings: {
        failure_threshold: String(failureThreshold),
        recovery_timeout: `${recoveryMs} ms`,
        half_open_max_requests: String(halfOpenRequests),
      },
      children: [inside],
    };
  }

  /** @internal What became of a request that was let through in `state`. */
  ended(state: BreakerState, call: Call, error: RuntimeError | undefined): void {
    if (state !== this.#state) return;
    const now = this.#clock.now();
    this.#enter(stateAfter(state, outcomeOf(error, call, now), { options: this.#options, now }));
  }

  // ---- details below; callers need not read ----

  /** The state in which the request is let through; undefined: it is not, and has been told so. */
  #admit(reply: Reply): BreakerState | undefined {
    const now = this.#clock.now();
    this.#enter(stateAt(this.#state, now));
    const state = this.#state;
    if (letsThrough(state, this.#options)) return state;
    this.#shortCircuits.value++;
    reply.end(this.#isOpen(state, now));
    return undefined;
  }

  #enter(state: BreakerState): void {
    if (state === this.#state) return;
    const next: readonly string[] = BREAKER_TRANSITIONS[this.#state.kind];
    if (!next.includes(state.kind))
      throw bug(`a breaker goes from ${this.#state.kind} to ${state.kind}`);
    this.#state = state;
    this.#transitions[state.kind].value++;
  }

  #isOpen(state: BreakerState, now: number): RuntimeError {
    const what =
      state.kind === 'OPEN'
        ? `and is asked again in ${Math.ceil((state.until - now) / 1000)} s`
        : 'and is being tried';
    const text = `model '${this.#modelName}' failed ${this.#options.failureThreshold} times in a row ${what}`;
    return new RuntimeError('CIRCUIT_OPEN', text);
  }
}

function outcomeOf(error: RuntimeError | undefined, call: Call, now: number): Outcome {
  if (!error) return 'answered';
  return isFaultOfModel(error, call, now) ? 'failed' : 'neutral';
}

class WatchedReply implements Reply {
  readonly #breaker: CircuitBreaker;
  readonly #state: BreakerState;
  readonly #call: Call;
  readonly #reply: Reply;

  constructor(
    breaker: CircuitBreaker,
    state: BreakerState,
    { call, reply }: { readonly call: Call; readonly reply: Reply },
  ) {
    this.#breaker = breaker;
    this.#state = state;
    this.#call = call;
    this.#reply = reply;
  }

  response(response: InferenceResponse): void {
    this.#reply.response(response);
  }

  end(error?: RuntimeError): void {
    this.#breaker.ended(this.#state, this.#call, error);
    this.#reply.end(error);
  }
}
