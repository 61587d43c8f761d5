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
  /** The caller takes one message and then no more until drain(). */
  readsSlowly = false;
  /** The service has said that it reads no more. */
  paused = false;
  /** Resolves when the service wants messages. */
  readonly listens: Promise<void>;
  #startListening: () => void = () => undefined;
  #onMessage: ((message: Buffer) => void) | undefined;
  #onHalfClose: () => void = () => undefined;
  #onDrain: () => void = () => undefined;
  #onSend: () => void = () => undefined;
  /** What the caller did while the service was not reading. */
  readonly #unread: (() => void)[] = [];

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

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  send(message: Buffer): boolean {
    this.sent.push(message);
    this.#onSend();
    return !this.readsSlowly;
  }

  pause(): void {
    this.paused = true;
  }

  /** What came in the meantime is taken. */
  resume(): void {
    this.paused = false;
    this.#readOn();
  }

  #readOn(): void {
    while (!this.paused && this.#unread.length > 0) this.#unread.shift()!();
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
    const listener = this.#onMessage;
    if (!listener) throw new Error('the service does not listen for messages');
    if (this.paused) this.#unread.push(() => listener(message));
    else listener(message);
  }

  /** The caller has no more to send. */
  halfClose(): void {
    if (this.paused) this.#unread.push(this.#onHalfClose);
    else this.#onHalfClose();
  }

  /** Things the caller did that the service has not read. */
  get unread(): number {
    return this.#unread.length;
  }

  /** The caller has read what was sent. */
  drain(): void {
    this.#onDrain();
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
