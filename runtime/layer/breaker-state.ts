// The states of a circuit breaker and what leads from one to the next. Pure but for the counts within a state: a state is an object of
// its own for as long as it lasts, so that the outcome of a request that was let through in another state is known by that, and ignored.
//
//   CLOSED     lets all through                           failureThreshold failures in a row  → OPEN
//   OPEN       lets none through                          recoveryMs later, with a request     → HALF_OPEN
//   HALF_OPEN  lets halfOpenRequests through, to see      all of them answered → CLOSED, one failed → OPEN

export type BreakerState =
  | { readonly kind: 'CLOSED'; failures: number }
  | { readonly kind: 'OPEN'; readonly until: number }
  | { readonly kind: 'HALF_OPEN'; underWay: number; answered: number };

export const BREAKER_TRANSITIONS = {
  CLOSED: ['OPEN'],
  OPEN: ['HALF_OPEN'],
  HALF_OPEN: ['CLOSED', 'OPEN'],
} as const satisfies Record<BreakerState['kind'], readonly BreakerState['kind'][]>;

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failureThreshold: number;
  readonly recoveryMs: number;
  /** Requests that are let through to see, all of which must be answered. */
  readonly halfOpenRequests: number;
}

/** `neutral`: it says nothing of the model, such as a request that was wrong. */
export type Outcome = 'answered' | 'failed' | 'neutral';

export function closed(): BreakerState {
  return { kind: 'CLOSED', failures: 0 };
}

/** The state in which the next request is looked at. */
export function stateAt(state: BreakerState, now: number): BreakerState {
  if (state.kind !== 'OPEN' || now < state.until) return state;
  return { kind: 'HALF_OPEN', underWay: 0, answered: 0 };
}

/** Whether a request may pass; one that passes is counted. */
export function letsThrough(state: BreakerState, { halfOpenRequests }: BreakerOptions): boolean {
  switch (state.kind) {
    case 'CLOSED':
      return true;
    case 'OPEN':
      return false;
    case 'HALF_OPEN':
      if (state.underWay + state.answered >= halfOpenRequests) return false;
      state.underWay++;
      return true;
  }
}

/** The state after a request that was let through in this one. */
export function stateAfter(
  state: BreakerState,
  outcome: Outcome,
  { options, now }: { readonly options: BreakerOptions; readonly now: number },
): BreakerState {
  switch (state.kind) {
    case 'CLOSED':
      if (outcome === 'answered') state.failures = 0;
      if (outcome !== 'failed' || ++state.failures < options.failureThreshold) return state;
      return { kind: 'OPEN', until: now + options.recoveryMs };
    case 'OPEN':
      return state;
    case 'HALF_OPEN':
      if (outcome === 'failed') return { kind: 'OPEN', until: now + options.recoveryMs };
      state.underWay--;
      if (outcome === 'answered') state.answered++;
      return state.answered < options.halfOpenRequests ? state : closed();
  }
}
