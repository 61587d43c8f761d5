// PURE: what an answer other than OK means to a client without retries whose server is being stopped.

import { status } from '@grpc/grpc-js';

/** One call that was not answered OK, as grpc-js tells it. */
export interface FailedCall {
  readonly code: number;
  readonly text: string;
  /** The connection was up when the call was made, as far as the client knew. */
  readonly wasConnected: boolean;
}

/**
 * - `lost`: a server had it, or may have had it, and did not finish it.
 * - `overtaken`: it was sent while the server was closing the connection, which said that it had not begun with it; grpc-js then
 *   looks for another connection by itself, and found none.
 * - `unsent`: the client knew that it had no connection, and could not make one.
 */
export type FailureKind = 'lost' | 'overtaken' | 'unsent';

export function failureKind({ code, text, wasConnected }: FailedCall): FailureKind {
  if (code !== (status.UNAVAILABLE as number) || !NO_CONNECTION.test(text)) return 'lost';
  return wasConnected ? 'overtaken' : 'unsent';
}

/** The text without what is different every time. */
export function commonText(text: string): string {
  return text.replace(/\b\d+\.\d+\.\d+\.\d+:\d+/g, 'ADDRESS').replace(/\s+/g, ' ');
}

// ---- details below; callers need not read ----

/** What grpc-js says of calls that found no connection, in contrast to those whose connection was dropped under them. */
const NO_CONNECTION = /^No connection established|ECONNREFUSED/;
