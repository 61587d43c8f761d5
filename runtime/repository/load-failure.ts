// Triton's texts for loads that fail, as clients and operators match on them.

import type { ErrorCode } from '../core/errors.js';
import { RuntimeError } from '../core/errors.js';

/** How Triton's index names the kind of an error. */
const KIND: Record<ErrorCode, string> = {
  INVALID_ARGUMENT: 'Invalid argument',
  NOT_FOUND: 'Not found',
  ALREADY_EXISTS: 'Already exists',
  MODEL_NOT_READY: 'Unavailable',
  QUEUE_FULL: 'Unavailable',
  QUEUE_TIMEOUT: 'Unavailable',
  TOO_MANY_REQUESTS: 'Unavailable',
  CIRCUIT_OPEN: 'Unavailable',
  DEADLINE_EXCEEDED: 'Unavailable',
  CANCELLED: 'Cancelled',
  BACKEND_FAILED: 'Internal',
  BACKEND_LOST: 'Unavailable',
  CONTROL_REFUSED: 'Unavailable',
  SHUTTING_DOWN: 'Unavailable',
  UNSUPPORTED: 'Unsupported',
  INTERNAL: 'Internal',
};

/** "Invalid argument: …": the reason in the index. */
export function reasonOf({ code, message }: RuntimeError): string {
  return `${KIND[code]}: ${message}`;
}

export function pollFailed(name: string, cause?: unknown): RuntimeError {
  const text = `failed to load '${name}', failed to poll from model repository`;
  return new RuntimeError('INTERNAL', text, { cause });
}

/** What operators see of it; callers see `noVersions`. */
export const NO_VERSION =
  'it has no version to serve; a version is a directory such as 1/, an empty one if the model has no file';

export function noVersions(name: string): RuntimeError {
  return loadFailed(
    name,
    `at least one version must be available under the version policy of model '${name}'`,
  );
}

export function versionsFailed(name: string, failures: readonly VersionFailure[]): RuntimeError {
  return loadFailed(name, versionsUnavailable(failures));
}

export interface VersionFailure {
  readonly version: number;
  readonly reason: string;
}

export function versionsUnavailable(failures: readonly VersionFailure[]): string {
  return failures
    .map(({ version, reason }) => `version ${version} is at UNAVAILABLE state: ${reason};`)
    .join(' ');
}

export function loadFailed(name: string, detail: string, cause?: unknown): RuntimeError {
  const text = `load failed for model '${name}': ${detail}\n`;
  return new RuntimeError('INVALID_ARGUMENT', text, { cause });
}
