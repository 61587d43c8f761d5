// Error codes -> gRPC statuses, in one place. A new code does not compile until it is listed. Mapping: Triton's, so queue-full and
// queue-timeout are UNAVAILABLE.

import type { ErrorCode } from '../core/errors.js';
import { RuntimeError } from '../core/errors.js';
import type { GrpcStatus } from './grpc-transport.js';
import { statusText } from './status-text.js';

/** https://grpc.io/docs/guides/status-codes/ */
export const GRPC = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

export const GRPC_STATUS = {
  INVALID_ARGUMENT: GRPC.INVALID_ARGUMENT,
  NOT_FOUND: GRPC.NOT_FOUND,
  ALREADY_EXISTS: GRPC.ALREADY_EXISTS,
  MODEL_NOT_READY: GRPC.UNAVAILABLE,
  QUEUE_FULL: GRPC.UNAVAILABLE,
  QUEUE_TIMEOUT: GRPC.UNAVAILABLE,
  TOO_MANY_REQUESTS: GRPC.RESOURCE_EXHAUSTED,
  CIRCUIT_OPEN: GRPC.UNAVAILABLE,
  DEADLINE_EXCEEDED: GRPC.DEADLINE_EXCEEDED,
  CANCELLED: GRPC.CANCELLED,
  BACKEND_FAILED: GRPC.INTERNAL,
  BACKEND_LOST: GRPC.UNAVAILABLE,
  CONTROL_REFUSED: GRPC.UNAVAILABLE,
  SHUTTING_DOWN: GRPC.UNAVAILABLE,
  UNSUPPORTED: GRPC.UNIMPLEMENTED,
  INTERNAL: GRPC.INTERNAL,
} as const satisfies Record<ErrorCode, number>;

export function grpcStatusOf(thrown: unknown): GrpcStatus {
  const { code, message } = RuntimeError.from(thrown);
  return { code: GRPC_STATUS[code], message: statusText(message) };
}
