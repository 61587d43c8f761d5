// A call of grpc-js with one message each way. An endpoint that sends another number of them fails; grpc-js' own unary calls would wait for
// ever behind a second one.

import { status, type Channel, type Metadata } from '@grpc/grpc-js';
import type { AnswerListener, CallStatus, PendingCall } from './endpoint-connection.js';

type GrpcCall = ReturnType<Channel['createCall']>;

export class GrpcUnary implements PendingCall {
  readonly #call: GrpcCall;
  readonly #listener: AnswerListener;
  #answer: Buffer | undefined;

  constructor(call: GrpcCall, listener: AnswerListener) {
    this.#call = call;
    this.#listener = listener;
  }

  send(message: Buffer, metadata: Metadata): void {
    this.#call.start(metadata, {
      onReceiveMetadata: () => undefined,
      onReceiveMessage: (answer: Buffer) => this.#received(answer),
      onReceiveStatus: (ended) => this.#ended(ended),
    });
    this.#call.sendMessageWithContext({}, message);
    this.#call.halfClose();
    this.#call.startRead();
  }

  cancel(): void {
    this.#call.cancelWithStatus(status.CANCELLED, 'Cancelled on client');
  }

  // ---- details below; callers need not read ----

  #received(answer: Buffer): void {
    if (this.#answer) {
      this.#call.cancelWithStatus(status.UNKNOWN, 'it has answered more than once');
      return;
    }
    this.#answer = answer;
    // The status comes behind what is read.
    this.#call.startRead();
  }

  #ended(ended: CallStatus): void {
    if (ended.code !== (status.OK as number)) this.#listener.failed(ended);
    else if (this.#answer) this.#listener.answered(this.#answer);
    else this.#listener.failed({ code: status.UNKNOWN, details: 'it has not answered' });
  }
}
