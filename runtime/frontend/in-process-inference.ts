// One request of a caller in this process. It goes the road of a request over gRPC, without the bytes; and because nobody else watches
// over it, it ends itself when its deadline has passed or its signal is aborted.

import { setMaxListeners } from 'node:events';
import type { InferResult } from 'inferd-client';
import { MOST_UNREAD, MOST_UNREAD_BYTES, type Pace, type PaceListener } from '../core/call.js';
import type { Timer } from '../core/clock.js';
import { NO_DEADLINE, type Deadline } from '../core/deadline.js';
import { RuntimeError } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import type { ServedModel } from '../core/model-catalog.js';
import { bytesIn } from '../core/tensor.js';
import { Fifo } from './fifo.js';
import type { GrpcCall } from './grpc-transport.js';
import { inferResultOf, wireRequestOf, type InferArguments } from './in-process-request.js';
import { ModelInference, type ModelInferenceParts } from './model-inference.js';
import type { RequestUnderWay, RequestsUnderWay } from './requests-under-way.js';

export interface InProcessParts extends ModelInferenceParts {
  readonly requests: RequestsUnderWay;
}

/** The one answer. @throws RuntimeError */
export function inferInProcess(asked: InferArguments, parts: InProcessParts): Promise<InferResult> {
  return new Promise((resolve, reject) => {
    new OneAnswer(asked, parts, { resolve, reject }).start();
  });
}

/** Every answer, as it comes and no faster than it is read. Who stops reading cancels the request. @throws RuntimeError */
export async function* streamInProcess(
  asked: InferArguments,
  parts: InProcessParts,
): AsyncGenerator<InferResult, void, undefined> {
  const inference = new ManyAnswers(asked, parts);
  try {
    inference.start();
    for (let next = await inference.next(); next; next = await inference.next()) yield next;
  } finally {
    inference.leave();
  }
}

// ---- details below; callers need not read ----

abstract class InProcessInference extends ModelInference implements RequestUnderWay, AbortListener {
  readonly #asked: InferArguments;
  readonly #parts: InProcessParts;
  #timer: Timer;
  #givenUp: RuntimeError | undefined;
  #isOver = false;

  constructor(asked: InferArguments, parts: InProcessParts) {
    super(headersOf(asked), deadlineOf(asked, parts), parts);
    this.#asked = asked;
    this.#parts = parts;
  }

  /** The last that its caller hears. */
  protected abstract settled(error: RuntimeError | undefined): void;

  /** Undefined: it has been answered as it should. */
  protected abstract failure(): RuntimeError | undefined;

  /** @throws RuntimeError when it cannot even be asked */
  start(): void {
    const { signal, deadlineMs } = this.#asked.options;
    const wire = wireRequestOf(this.#asked);
    if (signal?.aborted) throw cancelled(signal);
    this.#parts.requests.enter(this);
    if (signal) listenTo(signal, this);
    const { clock } = this.#parts;
    if (this.inference.deadline !== NO_DEADLINE)
      this.#timer = clock.setTimer(() => this.giveUp(tooLate(deadlineMs)), deadlineMs!);
    this.ask(wire);
  }

  /** The signal is aborted. */
  handleEvent(): void {
    this.giveUp(cancelled(this.#asked.options.signal!));
  }

  giveUp(error: RuntimeError): void {
    if (this.#isOver) return;
    this.#givenUp = error;
    this.inference.cancel();
    this.#settle(error);
  }

  protected accepted(): void {
    // Calls are not counted against each other.
  }

  protected conclude(error: RuntimeError | undefined): RuntimeError | undefined {
    const failure = this.#givenUp ?? error ?? this.failure();
    this.#settle(failure);
    return failure;
  }

  #settle(error: RuntimeError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.clock.clearTimer(this.#timer);
    this.#asked.options.signal?.removeEventListener('abort', this);
    this.#parts.requests.leave(this);
    this.settled(error);
  }
}

/** An object and not a function, so that it is the same when it is taken back. */
interface AbortListener {
  handleEvent(): void;
}

interface Promised {
  readonly resolve: (result: InferResult) => void;
  readonly reject: (error: RuntimeError) => void;
}

class OneAnswer extends InProcessInference {
  readonly #promised: Promised;
  #result: InferResult | undefined;
  #error: RuntimeError | undefined;

  constructor(...[asked, parts, promised]: [InferArguments, InProcessParts, Promised]) {
    super(asked, parts);
    this.#promised = promised;
  }

  response(response: InferenceResponse): void {
    try {
      this.#result = inferResultOf(this.prepared(response), this.id);
    } catch (error) {
      this.#error = RuntimeError.from(error);
    }
  }

  protected admit({ name, decoupled }: ServedModel): void {
    if (!decoupled) return;
    const text = `model '${name}' is decoupled and may answer any number of times; use inferStream`;
    throw new RuntimeError('UNSUPPORTED', text);
  }

  protected failure(): RuntimeError | undefined {
    return this.#error ?? (this.#result ? undefined : this.noResponse());
  }

  protected settled(error: RuntimeError | undefined): void {
    if (error) this.#promised.reject(error);
    else this.#promised.resolve(this.#result!);
  }
}

/** Answers that wait to be read; a model gives no more while there are too many. */
class ManyAnswers extends InProcessInference implements Pace {
  readonly #unread = new Fifo<Unread>();
  readonly #listeners: PaceListener[] = [];
  #isDecoupled = false;
  #answers = 0;
  #read = 0;
  #unreadBytes = 0;
  #end: { readonly error: RuntimeError | undefined } | undefined;
  #error: RuntimeError | undefined;
  #wake: (() => void) | undefined;

  constructor(asked: InferArguments, parts: InProcessParts) {
    super(asked, parts);
    this.inference.pace = this;
  }

  get isBehind(): boolean {
    return this.#answers - this.#read >= MOST_UNREAD || this.#unreadBytes > MOST_UNREAD_BYTES;
  }

  onReady(listener: PaceListener): void {
    this.#listeners.push(listener);
  }

  response(response: InferenceResponse): void {
    // Who was given up may come with what was on its way.
    if (this.#end) return;
    try {
      const answer = this.prepared(response);
      const unread = { result: inferResultOf(answer, this.id), bytes: bytesIn(answer.outputs) };
      this.#unread.push(unread);
      this.#unreadBytes += unread.bytes;
      this.#answers++;
    } catch (error) {
      this.#error ??= RuntimeError.from(error);
    }
    this.#wake?.();
  }

  /** Undefined: that was all. @throws RuntimeError after the answers before it */
  async next(): Promise<InferResult | undefined> {
    while (this.#unread.isEmpty && !this.#end)
      await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#unread.isEmpty && this.#end?.error) throw this.#end.error;
    return this.#take();
  }

  /** Nobody reads any more. */
  leave(): void {
    this.giveUp(new RuntimeError('CANCELLED', 'nobody reads the answers any more'));
    while (this.#take());
  }

  protected admit({ decoupled = false }: ServedModel): void {
    this.#isDecoupled = decoupled;
  }

  protected failure(): RuntimeError | undefined {
    return this.#error ?? (this.#isDecoupled || this.#answers > 0 ? undefined : this.noResponse());
  }

  protected settled(error: RuntimeError | undefined): void {
    this.#end = { error };
    this.#wake?.();
  }

  #take(): InferResult | undefined {
    const unread = this.#unread.shift();
    if (!unread) return undefined;
    this.#read++;
    this.#unreadBytes -= unread.bytes;
    if (!this.isBehind) for (const listener of this.#listeners.splice(0)) listener.readerReady();
    return unread.result;
  }
}

interface Unread {
  readonly result: InferResult;
  readonly bytes: number;
}

function headersOf({ options: { metadata = {} } }: InferArguments): Pick<GrpcCall, 'metadata'> {
  return {
    metadata: (key) => {
      const found = Object.entries(metadata).find(([name]) => name.toLowerCase() === key)?.[1];
      return typeof found === 'string' ? found : undefined;
    },
  };
}

function deadlineOf(
  { options: { deadlineMs = Infinity } }: InferArguments,
  { clock }: InProcessParts,
): Deadline {
  if (typeof deadlineMs === 'number' && deadlineMs > 0) return clock.now() + deadlineMs;
  throw new RuntimeError('INVALID_ARGUMENT', `deadlineMs is a number above 0, got ${deadlineMs}`);
}

function tooLate(deadlineMs: number | undefined): RuntimeError {
  return new RuntimeError('DEADLINE_EXCEEDED', `no answer within ${deadlineMs ?? Infinity} ms`);
}

function cancelled({ reason }: AbortSignal): RuntimeError {
  return new RuntimeError('CANCELLED', 'the call was cancelled by its signal', { cause: reason });
}

function listenTo(signal: AbortSignal, listener: AbortListener): void {
  // One signal may be that of many calls at once.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', listener);
}
