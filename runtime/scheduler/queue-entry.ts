// One request in a scheduler: waiting in its queue, then running in a batch, then done. It is answered exactly once: by the
// result of its batch, or earlier by its timeout or its caller's cancellation.

import type { Call, CancelListener } from '../core/call.js';
import { NO_DEADLINE, type Deadline } from '../core/deadline.js';
import type { RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse } from '../core/inference.js';
import type { Reply } from '../core/servable.js';
import { TimerNode } from '../core/timer-wheel.js';

/** What a waiting entry tells its scheduler. */
export interface EntryOwner {
  entryDue(entry: QueueEntry): void;
  entryCancelled(entry: QueueEntry): void;
}

export class QueueEntry extends TimerNode implements CancelListener {
  readonly request: InferenceRequest;
  readonly call: Call;
  reply: Reply;
  /** Rows of the request; 1 for a model without batching. */
  readonly rows: number;
  /** Its priority; 0 where the model has no levels. */
  level = 0;
  /** What its execution is expected to take; 0 where that is not looked at. */
  computeMs = 0;
  /** The end of its waiting, as it was accepted: its latest start or its queue timeout. */
  waitsUntil: Deadline = NO_DEADLINE;
  /** @internal order among equals; owned by the queue */
  arrival = 0;
  /** Set when a batch with this entry failed: it is tried once more, by itself. */
  alone = false;
  state: 'waiting' | 'running' | 'done' = 'waiting';
  /** @internal links of the queue's list */
  queueNext: QueueEntry | undefined;
  queuePrevious: QueueEntry | undefined;
  readonly #owner: EntryOwner;

  constructor(
    owner: EntryOwner,
    asked: { request: InferenceRequest; call: Call; reply: Reply },
    rows: number,
  ) {
    super();
    this.#owner = owner;
    this.request = asked.request;
    this.call = asked.call;
    this.reply = asked.reply;
    this.rows = rows;
  }

  /** Executed later than that it would miss its deadline. */
  get latestStart(): Deadline {
    return this.call.deadline - this.computeMs;
  }

  override onDue(): void {
    if (this.state === 'waiting') this.#owner.entryDue(this);
  }

  callCancelled(): void {
    if (this.state !== 'done') this.#owner.entryCancelled(this);
  }

  succeed(response: InferenceResponse): void {
    if (this.state === 'done') return;
    this.state = 'done';
    this.reply.response(response);
    this.reply.end();
  }

  /** One of any number of answers, to be followed by `finish` or `fail`. */
  answer(response: InferenceResponse): void {
    if (this.state !== 'done') this.reply.response(response);
  }

  finish(): void {
    if (this.state === 'done') return;
    this.state = 'done';
    this.reply.end();
  }

  fail(error: RuntimeError): void {
    if (this.state === 'done') return;
    this.state = 'done';
    this.reply.end(error);
  }
}
