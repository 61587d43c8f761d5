// PORT: a connection to one endpoint as remote models see it; grpc-connection.ts is the real one.

import type { Headers } from '../core/call.js';

/** coming: it is being made, or will be with the first call. down: the last attempt failed; the next one comes by itself. */
export type ConnectionState = 'ready' | 'coming' | 'down';

export interface OutgoingCall {
  /** "/package.Service/Method". */
  readonly path: string;
  readonly message: Buffer;
  /** The call then fails with DEADLINE_EXCEEDED by itself, and the endpoint is told; Infinity: none. */
  readonly timeoutMs: number;
  /** Undefined: none. */
  readonly headers?: Headers | undefined;
}

/** How a call ended without an answer, as gRPC says it. */
export interface CallStatus {
  readonly code: number;
  readonly details: string;
}

/** Told once, by one of the two. After `cancel` what it is told means nothing. */
export interface AnswerListener {
  answered(message: Buffer): void;
  failed(status: CallStatus): void;
}

/** Told of any number of messages, then once of the end; OK comes behind all messages, another status may come before them. */
export interface StreamListener {
  message(message: Buffer): void;
  ended(status: CallStatus): void;
}

export interface PendingCall {
  cancel(): void;
}

export interface OpenStream extends PendingCall {
  /** Nothing more is read, and the endpoint is slowed down, until `resume`. Paused twice it is resumed once. */
  pause(): void;
  resume(): void;
}

export interface EndpointConnection {
  readonly state: ConnectionState;
  /** Begins to connect, unless it has. */
  connect(): void;
  unary(call: OutgoingCall, listener: AnswerListener): PendingCall;
  /** One message there, any number back. */
  stream(call: OutgoingCall, listener: StreamListener): OpenStream;
  /** Calls under way come to their end; no others begin. */
  close(): void;
}
