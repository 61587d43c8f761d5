// The ModelStreamInfer call: requests for any models on one stream. They run side by side; each is answered in its turn
// (streamed-inference.ts), with an answer or with an error_message, and the stream goes on.
//
// A caller is slowed down, by not reading from him, while too many of his answers wait or too many of his requests are under way, each
// with the answer that it is going to have; so what one stream can hold of the server's memory is bounded. What is under way at its
// end is cancelled, each request by itself.

import type { CancelListener, Pace } from '../core/call.js';
import type { Deadline } from '../core/deadline.js';
import { RuntimeError } from '../core/errors.js';
import { ERROR_STATUS } from '../wire/stream-parameters.js';
import { Fifo } from './fifo.js';
import { grpcStatusOf } from './grpc-status.js';
import type { GrpcMethod, GrpcStatus, StreamCall } from './grpc-transport.js';
import type { ModelInferenceParts } from './model-inference.js';
import type { ServerHealth } from './server-health.js';
import { StreamOutbox } from './stream-outbox.js';
import {
  REQUEST_BYTES,
  StreamedInference,
  type InferenceStreamPort,
  type StreamTurn,
} from './streamed-inference.js';

export function modelStreamInferMethod(
  parts: ModelInferenceParts,
  health: ServerHealth,
): GrpcMethod {
  return {
    path: '/inference.GRPCInferenceService/ModelStreamInfer',
    kind: 'stream',
    handle: (call) => new InferenceStream(call, parts).open(health),
  };
}

/**
 * Requests under way and answers that wait for their turn behind them, so that who sends without end is slowed down, too. Far more
 * than fills the batches of any model, because a sequence may wait for one that ends later on the same stream.
 */
export const MOST_UNDER_WAY_BYTES = 64 * 2 ** 20;

/** So many may be under way whatever their answers will take. */
export const FEW_REQUESTS = 64;

// ---- details below; callers need not read ----

/** What one large answer among small ones has left of its weight after each of those. */
const FORGETTING = 7 / 8;

/** Triton's words for calls that come too late; these requests were not read. */
const SHUTTING_DOWN = grpcStatusOf(
  new RuntimeError(
    'SHUTTING_DOWN',
    'GRPC server is shutting down and has stopped accepting new requests.',
  ),
);

/** Open: requests are taken. Closing: it ends when all is answered and sent. */
type Phase = 'open' | 'closing' | 'over';

class InferenceStream implements InferenceStreamPort, CancelListener {
  readonly call: StreamCall;
  readonly deadline: Deadline;
  readonly tellsStatus: boolean;
  readonly #parts: ModelInferenceParts;
  /** As Triton's clients ask for it: what fails on the road ends the stream, what is refused does not. */
  readonly #endsAtFailure: boolean;
  readonly #outbox: StreamOutbox;
  readonly #underWay = new Set<StreamedInference>();
  /** Those whose turn is to come, the next one first. */
  readonly #turns = new Fifo<StreamTurn>();
  #underWayBytes = 0;
  /** Of answers that wait for their turn. */
  #earlyBytes = 0;
  /** What an answer takes: the largest one of late. */
  #answerBytes = 0;
  #phase: Phase = 'open';
  /** What the stream ends with; undefined: OK. */
  #status: GrpcStatus | undefined;
  #isPaused = false;
  #forgetEnd: () => void = () => undefined;

  constructor(call: StreamCall, parts: ModelInferenceParts) {
    this.call = call;
    this.deadline = call.deadline;
    this.#parts = parts;
    this.tellsStatus = call.metadata(ERROR_STATUS) === 'true';
    this.#endsAtFailure = call.metadata('triton_grpc_error') === 'true';
    this.#outbox = new StreamOutbox(call, () => this.#goOn());
  }

  /** A decoupled model gives its answers no faster than they are read. */
  get pace(): Pace {
    return this.#outbox;
  }

  open(health: ServerHealth): void {
    this.#forgetEnd = health.onStreamsEnd(() => this.#close(SHUTTING_DOWN));
    this.call.onCancelled(this);
    this.call.onHalfClose(() => this.#close(undefined));
    this.call.onMessage((message) => this.#take(message));
  }

  grew(inference: StreamedInference, bytes: number): void {
    if (this.#underWay.has(inference)) this.#underWayBytes += bytes;
  }

  sendNow(inference: StreamedInference, message: Buffer): void {
    if (!this.#underWay.has(inference)) return;
    this.#learn(message);
    this.#outbox.put(message);
    this.#goOn();
  }

  concluded(inference: StreamedInference, failure: RuntimeError | undefined): void {
    // Nobody waits for those that were given up.
    if (!this.#underWay.delete(inference)) return;
    this.#underWayBytes -= inference.cost;
    const ends = failure !== undefined && this.#endsAtFailure && inference.isAccepted;
    const outcome = ends ? failure : inference.lastMessage(failure);
    if (inference.isDecoupled) this.#leave(outcome);
    else {
      inference.turn.outcome = outcome;
      inference.turn.isSettled = true;
      this.#earlyBytes += costOf(outcome);
      if (outcome instanceof Buffer) this.#learn(outcome);
    }
    this.#goOn();
  }

  callCancelled(): void {
    if (this.#phase === 'over') return;
    this.#over();
    this.#giveUp();
    this.#outbox.clear();
  }

  #take(message: Buffer): void {
    if (this.#phase !== 'open') return;
    const inference = new StreamedInference(message, this, this.#parts);
    this.#underWay.add(inference);
    this.#underWayBytes += inference.cost;
    this.#turns.push(inference.turn);
    try {
      inference.run(message);
    } catch (thrown) {
      // Only a model that throws after its end comes here; there is nobody above who could be told.
      this.#fail(RuntimeError.from(thrown));
    }
    inference.isAccepted = true;
    // However many there are behind one that waits: they wait for nothing.
    if (inference.isDecoupled) this.#turns.takeBack(inference.turn);
    this.#goOn();
  }

  /** No more requests are read; those under way are answered. */
  #close(status: GrpcStatus | undefined): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'closing';
    this.#status = status;
    this.#goOn();
  }

  /** Lets out what is due, and the caller send as much as there is room for. */
  #goOn(): void {
    if (this.#phase === 'over') return;
    for (let next = this.#turns.peek(); next?.isSettled; next = this.#turns.peek()) {
      this.#turns.shift();
      this.#earlyBytes -= costOf(next.outcome);
      this.#leave(next.outcome);
    }
    if (this.#phase === 'open') this.#slowDown();
    else if (this.#underWay.size === 0 && this.#outbox.isEmpty) this.#finish();
    else this.#pause();
  }

  #leave(outcome: Buffer | RuntimeError | undefined): void {
    if (outcome instanceof RuntimeError) this.#fail(outcome);
    else if (outcome) this.#outbox.put(outcome);
  }

  /** What is before the failure still leaves; what comes after it is dropped. */
  #fail(error: RuntimeError): void {
    this.#phase = 'closing';
    this.#status = grpcStatusOf(error);
    this.#giveUp();
  }

  #giveUp(): void {
    const left = [...this.#underWay];
    this.#underWay.clear();
    this.#turns.clear();
    this.#underWayBytes = 0;
    this.#earlyBytes = 0;
    for (const { inference } of left) inference.cancel();
  }

  #learn(answer: Buffer): void {
    this.#answerBytes = Math.max(StreamOutbox.costOf(answer), FORGETTING * this.#answerBytes);
  }

  #slowDown(): void {
    const toCome = Math.max(this.#underWay.size - FEW_REQUESTS, 0) * this.#answerBytes;
    const unsent = this.#underWayBytes + this.#earlyBytes + toCome;
    if (this.#outbox.isBehind || unsent > MOST_UNDER_WAY_BYTES) this.#pause();
    else if (this.#isPaused) {
      this.#isPaused = false;
      this.call.resume();
    }
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.call.pause();
  }

  #finish(): void {
    this.#over();
    if (this.#status) this.call.fail(this.#status);
    else this.call.end();
  }

  #over(): void {
    this.#phase = 'over';
    this.#forgetEnd();
  }
}

function costOf(outcome: Buffer | RuntimeError | undefined): number {
  if (outcome instanceof Buffer) return StreamOutbox.costOf(outcome);
  return outcome ? REQUEST_BYTES : 0;
}
