// An endpoint without a server: remembers what it was asked, and answers when the test says so.

import type { InferenceResponse } from '../core/inference.js';
import {
  encodeInferResponse,
  encodeStreamError,
  encodeStreamResponse,
} from '../frontend/infer-response-encoder.js';
import type {
  AnswerListener,
  ConnectionState,
  EndpointConnection,
  OpenStream,
  OutgoingCall,
  PendingCall,
  StreamListener,
} from '../remote/endpoint-connection.js';
import { aResponse } from './build.js';

export interface FakeCall extends OutgoingCall {
  readonly listener: AnswerListener;
  readonly isCancelled: () => boolean;
}

/** A stream that sends what the test says, whatever its reader wants. */
export class FakeStream implements OpenStream {
  readonly call: OutgoingCall;
  readonly listener: StreamListener;
  isPaused = false;
  isCancelled = false;

  constructor(call: OutgoingCall, listener: StreamListener) {
    this.call = call;
    this.listener = listener;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  cancel(): void {
    this.isCancelled = true;
  }

  answer(response: Partial<InferenceResponse> = {}, isFinal = false, id = ''): void {
    this.listener.message(encodeStreamResponse(aResponse(response), { id, isFinal }));
  }

  /** Says that it is the last, and nothing else. */
  final(): void {
    this.answer({ outputs: [] }, true);
  }

  error(text: string, status?: number): void {
    this.listener.message(encodeStreamError(text, { id: '', status }));
  }

  end(code = 0, details = ''): void {
    this.listener.ended({ code, details });
  }
}

export class FakeEndpointConnection implements EndpointConnection {
  readonly address: string;
  state: ConnectionState = 'ready';
  connects = 0;
  isClosed = false;
  /** In the order in which they came; those that have been answered included. */
  readonly calls: FakeCall[] = [];
  readonly streams: FakeStream[] = [];
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

  stream(call: OutgoingCall, listener: StreamListener): OpenStream {
    const stream = new FakeStream(call, listener);
    this.streams.push(stream);
    return stream;
  }

  close(): void {
    this.isClosed = true;
  }

  /** The calls that nobody has answered yet. */
  get open(): readonly FakeCall[] {
    return this.calls.slice(this.#answered);
  }

  /** Answers all of them, or the first ones. */
  answer(message = encodeInferResponse(aResponse(), ''), count = Infinity): void {
    for (const { listener } of this.#take(count)) listener.answered(message);
  }

  answerWith(response: Partial<InferenceResponse>, count = Infinity): void {
    this.answer(encodeInferResponse(aResponse(response), ''), count);
  }

  fail(code = 14, details = 'gone'): void {
    for (const { listener } of this.#take()) listener.failed({ code, details });
  }

  #take(count = Infinity): readonly FakeCall[] {
    const taken = this.open.slice(0, count);
    this.#answered += taken.length;
    return taken;
  }
}
