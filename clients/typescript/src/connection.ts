// A connection to one server as the rest of the client sees it; `grpc-connection.ts` is the real one.

import type { Metadata } from './client-options.js';

/** down: the last attempt to connect failed; it is tried again by itself. */
export type ConnectionState = 'idle' | 'connecting' | 'ready' | 'down';

export interface OutgoingCall {
  /** "/package.Service/Method". */
  readonly path: string;
  readonly metadata: Metadata;
  /** Sent to the server, which then knows when nobody waits any more; none without. */
  readonly timeoutMs?: number | undefined;
}

/** Both directions of a stream. The messages end with the call, or fail as it does. */
export interface Duplex {
  readonly messages: AsyncIterable<Buffer>;
  /** Resolves when more may be written. */
  write(message: Buffer): Promise<void>;
  end(): void;
}

/** An aborted signal ends a call. All failures are InferdErrors. */
export interface Connection {
  readonly address: string;
  readonly state: ConnectionState;
  /** Begins to connect, unless it has. */
  connect(): void;
  unary(call: OutgoingCall, request: Buffer, signal: AbortSignal): Promise<Buffer>;
  serverStream(call: OutgoingCall, request: Buffer, signal: AbortSignal): AsyncIterable<Buffer>;
  duplex(call: OutgoingCall, signal: AbortSignal): Duplex;
  /** Calls under way come to their end. */
  close(): void;
}
