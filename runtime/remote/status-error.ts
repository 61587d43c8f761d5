// What endpoints say of calls that failed -> RuntimeError, in one place: the way back of frontend/grpc-status.ts. Whether a request may
// be sent once more, core/failure-kind.ts says by the code: UNAVAILABLE and a lost connection are BACKEND_LOST, which is retriable.

import { RuntimeError, type ErrorCode } from '../core/errors.js';
import type { CallStatus } from './endpoint-connection.js';

/** https://grpc.io/docs/guides/status-codes/ */
export const STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** `model`: as it is called here. A status that we caused by cancelling does not come here. */
export function endpointError(
  status: CallStatus,
  { address, model }: { readonly address: string; readonly model: string },
): RuntimeError {
  const code = isLost(status) ? 'BACKEND_LOST' : (CODES[status.code] ?? 'INTERNAL');
  const details = status.details.replace(/ Resolution note: *$/, '');
  // What is wrong with the request the caller is told in the words in which a server of its own would say it.
  if (code === 'INVALID_ARGUMENT') return new RuntimeError(code, details);
  const lost = code === 'BACKEND_LOST' && status.code !== STATUS.UNAVAILABLE;
  const what = lost ? `the connection was lost: ${details}` : details;
  return new RuntimeError(code, `endpoint '${address}' of model '${model}': ${what}`, {
    cause: status,
  });
}

// ---- details below; callers need not read ----

const CODES: Readonly<Record<number, ErrorCode>> = {
  // Not by us: the other side, or the connection, cut it off.
  [STATUS.CANCELLED]: 'BACKEND_LOST',
  [STATUS.UNKNOWN]: 'BACKEND_FAILED',
  [STATUS.INVALID_ARGUMENT]: 'INVALID_ARGUMENT',
  [STATUS.DEADLINE_EXCEEDED]: 'DEADLINE_EXCEEDED',
  [STATUS.NOT_FOUND]: 'NOT_FOUND',
  // A message that is too large for one side; a server that takes no more.
  [STATUS.RESOURCE_EXHAUSTED]: 'TOO_MANY_REQUESTS',
  [STATUS.FAILED_PRECONDITION]: 'INVALID_ARGUMENT',
  [STATUS.ABORTED]: 'BACKEND_FAILED',
  [STATUS.OUT_OF_RANGE]: 'INVALID_ARGUMENT',
  [STATUS.UNIMPLEMENTED]: 'UNSUPPORTED',
  [STATUS.INTERNAL]: 'BACKEND_FAILED',
  [STATUS.UNAVAILABLE]: 'BACKEND_LOST',
  [STATUS.DATA_LOSS]: 'BACKEND_FAILED',
};

/** grpc-js' words for a call whose stream was cut off, or whose connection ended under it. */
const LOST = /RST_STREAM|Session closed/i;

function isLost({ code, details }: CallStatus): boolean {
  return code === STATUS.INTERNAL && LOST.test(details);
}
