// An endpoint without a server: remembers what it was asked, and answers when the test says so.

import type { InferenceResponse } from '../core/inference.js';
import { encodeInferResponse } from '../frontend/infer-response-encoder.js';
import type {
  AnswerListener,
  ConnectionState,
  EndpointConnection,
  OutgoingCall,
  PendingCall,
  StreamListener,
} from '../remote/endpoint-connection.js';
import { aResponse } from './build.js';

export interface FakeCall extends OutgoingCall {
  readonly listener: AnswerListener;
  readonly isCancelled: () => boolean;
}

export class FakeEndpointConnection implements EndpointConnection {
  readonly address: string;
  state: ConnectionState = 'ready';
  connects = 0;
  isClosed = false;
  /** In the order in which they came; those that have been answered included. */
  readonly calls: FakeCall[] = [];
  readonly streams: { readonly call: OutgoingCall; readonly listener: StreamListener }[] = [];
  #answered = 0;

  constructor(address = 'a:1') {
    this.address = address;
  }

  connect(): void {
    this.connects++;
  }

  unary(call: OutgoingCall, listener: AnswerListener): PendingCall {
    let cancelled = false;
    this.calls.push({ ...call, listener, isCancelled: () => cancelled });
    return { cancel: () => (cancelled = true) };
  }

  serverStream(call: OutgoingCall, listener: StreamListener): PendingCall {
    this.streams.push({ call, listener });
    return { cancel: () => undefined };
  }

  close(): void {
    this.isClosed = true;
  }

  /** The calls that nobody has answered yet. */
  get open(): readonly FakeCall[] {
    return this.calls.slice(this.#answered);
  }

  /** Answers all of them. */
  answer(message = encodeInferResponse(aResponse(), '')): void {
    for (const { listener } of this.#take()) listener.answered(message);
  }

  answerWith(response: Partial<InferenceResponse>): void {
    this.answer(encodeInferResponse(aResponse(response), ''));
  }

  fail(code = 14, details = 'gone'): void {
    for (const { listener } of this.#take()) listener.failed({ code, details });
  }

  #take(): readonly FakeCall[] {
    const { open } = this;
    this.#answered = this.calls.length;
    return open;
  }
}
