// A call of grpc-js with one message there and any number back, below its streams of Node: those read ahead, and say that a call is over
// before they have given all of its messages. Here a message is read when the one before it has been taken, so that a reader who
// pauses stops HTTP/2 and with it the endpoint.

import { status, type Channel, type Metadata } from '@grpc/grpc-js';
import type { OpenStream, StreamListener } from './endpoint-connection.js';

type GrpcCall = ReturnType<Channel['createCall']>;

export class GrpcStream implements OpenStream {
  readonly #call: GrpcCall;
  readonly #listener: StreamListener;
  #isPaused = false;
  /** A message has been asked for and has not come. */
  #isReading = false;

  constructor(call: GrpcCall, listener: StreamListener) {
    this.#call = call;
    this.#listener = listener;
  }

  send(message: Buffer, metadata: Metadata): void {
    this.#call.start(metadata, {
      onReceiveMetadata: () => undefined,
      onReceiveMessage: (answer: Buffer) => this.#received(answer),
      onReceiveStatus: (ended) => this.#listener.ended(ended),
    });
    this.#call.sendMessageWithContext({}, message);
    this.#call.halfClose();
    this.#read();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#read();
  }

  cancel(): void {
    this.#call.cancelWithStatus(status.CANCELLED, 'Cancelled on client');
  }

  // ---- details below; callers need not read ----

  #received(message: Buffer): void {
    this.#isReading = false;
    this.#listener.message(message);
    this.#read();
  }

  #read(): void {
    if (this.#isPaused || this.#isReading) return;
    this.#isReading = true;
    this.#call.startRead();
  }
}
