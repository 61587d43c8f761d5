// A connection whose state and answers the test decides.

import type { Connection, ConnectionState, Duplex, OutgoingCall } from '../connection.js';
import { InferdError, type GrpcCode } from '../inferd-error.js';

interface Pending {
  readonly call: OutgoingCall;
  readonly resolve: (bytes: Buffer) => void;
  readonly reject: (error: Error) => void;
}

export class FakeConnection implements Connection {
  readonly address: string;
  readonly #onChange: () => void;
  readonly #pending: Pending[] = [];
  #state: ConnectionState = 'idle';
  /** Requests that have come, answered or not. */
  requests = 0;
  /** Requests that were cancelled before they were answered. */
  cancelled = 0;
  isClosed = false;

  constructor(address: string, onChange: () => void = () => undefined) {
    this.address = address;
    this.#onChange = onChange;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  become(state: ConnectionState): void {
    this.#state = state;
    this.#onChange();
  }

  connect(): void {
    if (this.#state === 'idle') this.#state = 'connecting';
  }

  unary(call: OutgoingCall, _request: Buffer, signal: AbortSignal): Promise<Buffer> {
    this.requests++;
    return new Promise((resolve, reject) => {
      const cancel = (): void => {
        this.cancelled++;
        this.#pending.splice(this.#pending.indexOf(pending), 1);
        reject(signal.reason as Error);
      };
      const end = (act: () => void): void => {
        signal.removeEventListener('abort', cancel);
        act();
      };
      signal.addEventListener('abort', cancel);
      const pending: Pending = {
        call,
        resolve: (bytes) => end(() => resolve(bytes)),
        reject: (error) => end(() => reject(error)),
      };
      this.#pending.push(pending);
    });
  }

  /** Answers the oldest request. */
  answer(text = this.address): void {
    this.#oldest().resolve(Buffer.from(text));
  }

  fail(code: GrpcCode): void {
    this.#oldest().reject(new InferdError(code, `told to fail`, { address: this.address }));
  }

  get isAsked(): boolean {
    return this.#pending.length > 0;
  }

  /** What came with the oldest request. */
  get received(): OutgoingCall {
    return this.#pending[0]!.call;
  }

  serverStream(): AsyncIterable<Buffer> {
    throw new Error('the fake has no streams');
  }

  duplex(): Duplex {
    throw new Error('the fake has no streams');
  }

  close(): void {
    this.isClosed = true;
  }

  #oldest(): Pending {
    const pending = this.#pending.shift();
    if (!pending) throw new Error(`no request waits at ${this.address}`);
    return pending;
  }
}
