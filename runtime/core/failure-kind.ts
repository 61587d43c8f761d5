// What may be done about a failure: ask again, ask another model, count it against the one that failed. The one place that says so.

import type { Call } from './call.js';
import { NO_DEADLINE, isDue } from './deadline.js';
import type { ErrorCode, RuntimeError } from './errors.js';

/**
 * `request`: who asked asked wrongly, and would everywhere. `refusal`: the model does not answer now, and would not if it were asked again
 * at once. `fault`: something broke that may be whole the next time.
 */
type FailureKind = 'request' | 'refusal' | 'fault';

const KINDS: Readonly<Record<ErrorCode, FailureKind>> = {
  INVALID_ARGUMENT: 'request',
  NOT_FOUND: 'refusal',
  ALREADY_EXISTS: 'request',
  MODEL_NOT_READY: 'fault',
  QUEUE_FULL: 'refusal',
  QUEUE_TIMEOUT: 'refusal',
  TOO_MANY_REQUESTS: 'refusal',
  CIRCUIT_OPEN: 'refusal',
  DEADLINE_EXCEEDED: 'refusal',
  // Unless it was ours: a connection that was lost.
  CANCELLED: 'fault',
  BACKEND_FAILED: 'fault',
  BACKEND_LOST: 'fault',
  CONTROL_REFUSED: 'request',
  SHUTTING_DOWN: 'fault',
  UNSUPPORTED: 'request',
  INTERNAL: 'refusal',
};

/** The same model may well answer if it is asked again. */
export function isRetriable({ code }: RuntimeError, call: Call): boolean {
  return KINDS[code] === 'fault' && !call.cancelled;
}

/** Another model may answer. */
export function isReplaceable({ code }: RuntimeError, call: Call): boolean {
  return KINDS[code] !== 'request' && !call.cancelled;
}

/** A part of it was slower than the configuration lets it, however long the caller would have waited. */
function hasLateLeg({ legs }: Call): boolean {
  return legs.some(({ call, endedAt, error }) => {
    if (error?.code !== 'DEADLINE_EXCEEDED') return false;
    return (call.isLimited && isDue(call.deadline, endedAt)) || hasLateLeg(call);
  });
}

/** The model is to blame: it broke, or it was slower than the configuration lets it. Never the caller's own deadline. */
export function isFaultOfModel(error: RuntimeError, call: Call, now: number): boolean {
  const isLate = error.code === 'DEADLINE_EXCEEDED' || error.code === 'CANCELLED';
  if (isLate && call.isLimited && isDue(call.deadline, now)) return true;
  // Nobody but the configuration can have limited it.
  if (error.code === 'DEADLINE_EXCEEDED' && (call.deadline === NO_DEADLINE || hasLateLeg(call)))
    return true;
  return isRetriable(error, call);
}
