// The one error of this package: a gRPC status, and where it came from.

import { status } from '@grpc/grpc-js';

export type GrpcCode = Exclude<keyof typeof status, 'OK'>;

export interface ErrorSource extends ErrorOptions {
  /** The server that answered, or that could not be reached; absent when the request never left the client. */
  readonly address?: string | undefined;
}

export class InferdError extends Error {
  override readonly name = 'InferdError';
  /** The name of the gRPC status, such as 'NOT_FOUND'. */
  readonly code: GrpcCode;
  /** The server's text alone; `message` also has the code and the address. */
  readonly details: string;
  readonly address: string | undefined;

  constructor(code: GrpcCode, details: string, { address, ...options }: ErrorSource = {}) {
    const from = address === undefined ? '' : ` from ${address}`;
    super(`${details} (${code}${from})`, options);
    this.code = code;
    this.details = details;
    this.address = address;
  }
}

/** What is wrong with the arguments of a call; nothing was sent. */
export function invalid(details: string): InferdError {
  return new InferdError('INVALID_ARGUMENT', details);
}

/** Why an aborted signal ended a call: our own reason, or the caller's, which becomes the cause. */
export function errorOfAbort({ reason }: AbortSignal): InferdError {
  if (reason instanceof InferdError) return reason;
  return new InferdError('CANCELLED', 'the call was cancelled by its signal', { cause: reason });
}

interface Status {
  readonly code: number;
  readonly details: string;
}

/** From an error of grpc-js; others are returned as they are. A connection that broke under a request is UNAVAILABLE. */
export function inferdErrorFrom(error: unknown, address?: string): Error {
  if (error instanceof InferdError) return error;
  if (!isStatus(error)) return error instanceof Error ? error : new Error(String(error));
  const code = (status[error.code] ?? 'UNKNOWN') as GrpcCode;
  const lost = (code === 'CANCELLED' || code === 'INTERNAL') && LOST.test(error.details);
  const source = { address, cause: error };
  return lost
    ? new InferdError('UNAVAILABLE', `the connection was lost: ${error.details}`, source)
    : new InferdError(code, error.details.replace(/ Resolution note: *$/, ''), source);
}

/** grpc-js' words for a call that the other side cut off, or a session that ended under it. Our own cancellations do not come here. */
const LOST = /RST_STREAM|Session closed|^Call cancelled$/i;

function isStatus(error: unknown): error is Status {
  return error instanceof Error && 'code' in error && 'details' in error;
}
