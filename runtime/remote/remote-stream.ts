// A request to a decoupled model: a ModelStreamInfer call of its own, so that each is as fast as its own reader and nobody waits behind
// another. Its answers are handed on as they come; a parameter says which one is the last.

import type { PaceListener } from '../core/call.js';
import type { InferenceResponse, ParameterValue } from '../core/inference.js';
import { TimerNode } from '../core/timer-wheel.js';
import { ERROR_STATUS, FINAL_RESPONSE } from '../wire/stream-parameters.js';
import type {
  CallStatus,
  OpenStream,
  OutgoingCall,
  PendingCall,
  StreamListener,
} from './endpoint-connection.js';
import { decodeStreamResponse, type DecodedInferResponse } from './infer-messages.js';
import { RemoteCall } from './remote-call.js';
import { STATUS } from './status-error.js';

const PATH = '/inference.GRPCInferenceService/ModelStreamInfer';

/** Between the last answer and the end of the stream. */
const FAREWELL_MS = 5_000;

export class RemoteStream extends RemoteCall implements StreamListener, PaceListener {
  #stream: OpenStream | undefined;
  #farewell: Farewell | undefined;
  #answers = 0;
  /** It says of its answers whether they are the last. */
  #saysFinal = false;
  #heldSince = NEVER;
  #heldMs = 0;
  /** When the endpoint's turn to say something has begun. */
  #silentSince = 0;

  message(bytes: Buffer): void {
    if (this.isEnded) {
      // What comes after the end is nobody's, and there may be no end to it.
      this.#stream?.cancel();
      return;
    }
    this.#take(bytes);
    this.#goOn();
  }

  ended(status: CallStatus): void {
    if (this.#farewell) this.parts.wheel.cancel(this.#farewell);
    if (this.isEnded) return;
    if (status.code !== STATUS.OK) this.failedWith(status);
    else if (this.#answers === 0) this.misbehaved('ended the stream without an answer');
    else if (this.#saysFinal) this.misbehaved('ended the stream before its last answer');
    else this.#conclude();
  }

  readerReady(): void {
    if (this.#heldSince === NEVER) return;
    const now = this.parts.clock.now();
    this.#heldMs = this.heldMs(now);
    this.#heldSince = NEVER;
    this.#silentSince = now;
    if (!this.isEnded) this.#stream?.resume();
  }

  protected open(call: Omit<OutgoingCall, 'path'>): PendingCall {
    this.#silentSince = this.asked.call.timings.dispatchedAt;
    const headers = call.headers ? [...call.headers, ...HEADERS] : HEADERS;
    this.#stream = this.endpoint.connection.stream({ ...call, path: PATH, headers }, this);
    return this.#stream;
  }

  protected heldMs(now: number): number {
    return this.#heldMs + (this.#heldSince === NEVER ? 0 : now - this.#heldSince);
  }

  protected silentMs(now: number): number {
    return this.#heldSince === NEVER ? now - this.#silentSince : 0;
  }

  // ---- details below; callers need not read ----

  #take(bytes: Buffer): void {
    this.#silentSince = this.parts.clock.now();
    const heard = this.#read(bytes);
    if (!heard) return;
    const { isFinal, response } = heard;
    this.#answers++;
    this.#saysFinal ||= isFinal !== undefined;
    if (response) this.asked.reply.response(response);
    if (isFinal === true && !this.isEnded) this.#conclude();
  }

  /** Undefined: it is no answer, and the request has ended with that. */
  #read(bytes: Buffer): Heard | undefined {
    let said;
    try {
      const { error, answer } = decodeStreamResponse(bytes, this.parts.model.name);
      if (error === '' && answer) return this.#heard(answer);
      said = { error, answer };
    } catch (thrown) {
      this.gaveNoValidAnswer(thrown);
      this.#stream?.cancel();
      return undefined;
    }
    const { error, answer } = said;
    if (error !== '') this.failedWith({ code: statusIn(answer), details: error });
    else this.misbehaved('sent a message that says nothing');
    return undefined;
  }

  /** @throws RuntimeError that says what is wrong with it */
  #heard(answer: DecodedInferResponse): Heard {
    const isFinal = answer.parameters?.get(FINAL_RESPONSE)?.value;
    // The last one may say nothing but that it is the last.
    const isEmpty = isFinal === true && answer.outputs.length === 0;
    return { isFinal, response: isEmpty ? undefined : this.answerIn(answer) };
  }

  #conclude(): void {
    this.succeed(this.parts.clock.now(), 0);
    this.asked.reply.end();
  }

  #goOn(): void {
    if (this.isEnded) this.#partWays();
    else this.#slowDown();
  }

  #slowDown(): void {
    const { pace } = this.asked.call;
    if (!pace?.isBehind || this.#heldSince !== NEVER) return;
    this.#heldSince = this.parts.clock.now();
    this.#stream?.pause();
    pace.onReady(this);
  }

  /** The end of the stream is all that may still come. To cut it off at once would be taken for a cancellation there. */
  #partWays(): void {
    const { clock, wheel } = this.parts;
    this.#farewell = new Farewell(this.#stream!);
    wheel.schedule(this.#farewell, clock.now() + FAREWELL_MS);
  }
}

interface Heard {
  /** Undefined: the endpoint does not say. */
  readonly isFinal: ParameterValue | undefined;
  readonly response: InferenceResponse | undefined;
}

const NEVER = -1;

const HEADERS = [[ERROR_STATUS, 'true']] as const;

/** Ends a stream that its endpoint does not end. */
class Farewell extends TimerNode {
  readonly #stream: OpenStream;

  constructor(stream: OpenStream) {
    super();
    this.#stream = stream;
  }

  onDue(): void {
    this.#stream.cancel();
  }
}

/** Of an error. */
function statusIn(answer: DecodedInferResponse | undefined): number {
  const status = answer?.parameters?.get(ERROR_STATUS)?.value;
  return typeof status === 'number' && status !== STATUS.OK ? status : STATUS.UNKNOWN;
}
