// The closed list of what can go wrong. The frontend turns codes into wire statuses in one place (frontend/grpc-status.ts);
// docs/errors.md explains each, and a test keeps the three equal. Where clients of Triton match on a text, the text is Triton's.

export const ERROR_CODES = [
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'MODEL_NOT_READY',
  'QUEUE_FULL',
  'QUEUE_TIMEOUT',
  'TOO_MANY_REQUESTS',
  'CIRCUIT_OPEN',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
  'BACKEND_FAILED',
  'BACKEND_LOST',
  'CONTROL_REFUSED',
  'SHUTTING_DOWN',
  'UNSUPPORTED',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export class RuntimeError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'RuntimeError';
    this.code = code;
  }

  /** The only catch-all: whatever was thrown, as a RuntimeError. Foreign errors become INTERNAL and keep their cause. */
  static from(thrown: unknown): RuntimeError {
    if (thrown instanceof RuntimeError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new RuntimeError('INTERNAL', message, { cause: thrown });
  }
}

/** Of several legs that failed, the first, which says most of what is wrong; its cause lists them all. */
export function firstError(errors: readonly [RuntimeError, ...RuntimeError[]]): RuntimeError {
  const [first] = errors;
  if (errors.length === 1) return first;
  return new RuntimeError(first.code, first.message, { cause: errors });
}

/** For branches that no input can reach. */
export function bug(message: string): RuntimeError {
  return new RuntimeError('INTERNAL', `${message}. This is a bug.`);
}
