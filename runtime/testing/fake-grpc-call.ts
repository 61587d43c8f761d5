// Calls as a transport hands them to the services. A test plays the caller and reads what the service did.

import type { CancelListener } from '../core/call.js';
import { NO_DEADLINE, type Deadline } from '../core/deadline.js';
import type { GrpcCall, GrpcStatus, StreamCall, UnaryCall } from '../frontend/grpc-transport.js';

export interface FakeCallOptions {
  readonly deadline?: Deadline;
  readonly metadata?: Readonly<Record<string, string>>;
}

class FakeCall implements GrpcCall {
  readonly deadline: Deadline;
  readonly failures: GrpcStatus[] = [];
  /** Resolves when the service has ended the call. */
  readonly ended: Promise<void>;
  #resolveEnded: () => void = () => undefined;
  readonly #metadata: Readonly<Record<string, string>>;
  readonly #cancelListeners: CancelListener[] = [];

  constructor({ deadline = NO_DEADLINE, metadata = {} }: FakeCallOptions) {
    this.deadline = deadline;
    this.#metadata = metadata;
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
  }

  metadata(key: string): string | undefined {
    return this.#metadata[key];
  }

  onCancelled(listener: CancelListener): void {
    this.#cancelListeners.push(listener);
  }

  fail(status: GrpcStatus): void {
    this.failures.push(status);
    this.over();
  }

  /** The caller goes away. */
  cancel(): void {
    for (const listener of this.#cancelListeners) listener.callCancelled();
  }

  protected over(): void {
    this.#resolveEnded();
  }
}

export class FakeUnaryCall extends FakeCall implements UnaryCall {
  readonly message: Buffer;
  readonly replies: Buffer[] = [];

  constructor(message: Buffer = Buffer.alloc(0), options: FakeCallOptions = {}) {
    super(options);
    this.message = message;
  }

  reply(message: Buffer): void {
    this.replies.push(message);
    this.over();
  }

  /** How often the service has answered, well or not. */
  get answers(): number {
    return this.replies.length + this.failures.length;
  }
}

export class FakeStreamCall extends FakeCall implements StreamCall {
  readonly sent: Buffer[] = [];
  /** The service has ended the stream well. */
  finished = false;
  /** Resolves when the service wants messages. */
  readonly listens: Promise<void>;
  #startListening: () => void = () => undefined;
  #onMessage: ((message: Buffer) => void) | undefined;
  #onHalfClose: () => void = () => undefined;
  #onSend: () => void = () => undefined;

  constructor(options: FakeCallOptions = {}) {
    super(options);
    this.listens = new Promise((resolve) => (this.#startListening = resolve));
  }

  onMessage(listener: (message: Buffer) => void): void {
    this.#onMessage = listener;
    this.#startListening();
  }

  onHalfClose(listener: () => void): void {
    this.#onHalfClose = listener;
  }

  onDrain(): void {
    // Whoever reads a fake reads at once.
  }

  send(message: Buffer): boolean {
    this.sent.push(message);
    this.#onSend();
    return true;
  }

  end(): void {
    this.finished = true;
    this.over();
  }

  /** False until the service wants messages. */
  get listening(): boolean {
    return this.#onMessage !== undefined;
  }

  /** The caller sends a message. */
  write(message: Buffer): void {
    if (!this.#onMessage) throw new Error('the service does not listen for messages');
    this.#onMessage(message);
  }

  /** The caller has no more to send. */
  halfClose(): void {
    this.#onHalfClose();
  }

  /** Resolves when so many messages have been sent in all. */
  async sentCount(count: number): Promise<void> {
    if (this.sent.length >= count) return;
    await new Promise<void>((resolve) => {
      this.#onSend = () => {
        if (this.sent.length >= count) resolve();
      };
    });
  }
}
