// PORT: a connection to one endpoint as remote models see it; grpc-connection.ts is the real one.

/** coming: it is being made, or will be with the first call. down: the last attempt failed; the next one comes by itself. */
export type ConnectionState = 'ready' | 'coming' | 'down';

export interface OutgoingCall {
  /** "/package.Service/Method". */
  readonly path: string;
  readonly message: Buffer;
  /** The call then fails with DEADLINE_EXCEEDED by itself, and the endpoint is told; Infinity: none. */
  readonly timeoutMs: number;
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

export interface StreamListener {
  message(message: Buffer): void;
  ended(status: CallStatus): void;
}

export interface PendingCall {
  cancel(): void;
}

export interface EndpointConnection {
  readonly state: ConnectionState;
  /** Begins to connect, unless it has. */
  connect(): void;
  unary(call: OutgoingCall, listener: AnswerListener): PendingCall;
  serverStream(call: OutgoingCall, listener: StreamListener): PendingCall;
  /** Calls under way come to their end; no others begin. */
  close(): void;
}
