// PORT: what a gRPC server must offer to the services. Messages are bytes; nothing behind this port knows which library, or
// which of our own code, speaks HTTP/2.

import type { CancelListener } from '../core/call.js';
import type { Deadline } from '../core/deadline.js';

export interface GrpcStatus {
  /** https://grpc.io/docs/guides/status-codes/ */
  readonly code: number;
  readonly message: string;
}

/** One call in progress. After its end, whoever ends it, everything it is told has no effect. */
export interface GrpcCall {
  /** On the clock's scale; NO_DEADLINE when the caller set none. */
  readonly deadline: Deadline;
  /** The first value of an ASCII metadata key, which is given in lower case. */
  metadata(key: string): string | undefined;
  /** Told when the caller has gone, by its own will, by its deadline or with its connection. Set at most once. */
  onCancelled(listener: CancelListener): void;
  fail(status: GrpcStatus): void;
}

export interface UnaryCall extends GrpcCall {
  /** The request; a view on a buffer that does not change while the call lasts. */
  readonly message: Buffer;
  reply(message: Buffer): void;
}

/** Nothing is read from the caller before onMessage has been set; set onHalfClose in the same breath. */
export interface StreamCall extends GrpcCall {
  onMessage(listener: (message: Buffer) => void): void;
  /** The caller sends no more. */
  onHalfClose(listener: () => void): void;
  /** Nothing more is read from the caller, who is slowed down, until resume(). A call that is paused twice is resumed once. */
  pause(): void;
  resume(): void;
  /** False: the caller reads slowly; wait for onDrain before sending more. */
  send(message: Buffer): boolean;
  onDrain(listener: () => void): void;
  end(): void;
}

export type GrpcMethod =
  | { readonly path: string; readonly kind: 'unary'; handle(call: UnaryCall): void }
  /** Any number of messages in both directions. */
  | { readonly path: string; readonly kind: 'stream'; handle(call: StreamCall): void };

export interface GrpcTransport {
  /** Resolves with the port in use, which is the given one unless that was 0. */
  start(methods: readonly GrpcMethod[]): Promise<number>;
  /** Takes no new calls; resolves when those under way have ended. */
  drain(): Promise<void>;
  /** Ends what is still under way. */
  close(): void;
}
