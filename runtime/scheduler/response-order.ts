// Responses leave in the order in which their requests were accepted: one that is ready earlier is held until those before it
// have been answered. What has failed is told at once and holds nobody.

import type { RuntimeError } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import type { Reply } from '../core/servable.js';

export class ResponseOrder {
  #first: Slot | undefined;
  #last: Slot | undefined;

  /** The reply to be used for the request that was accepted last. */
  slotFor(reply: Reply): Reply {
    const slot = new Slot(this, reply);
    slot.previous = this.#last;
    if (this.#last) this.#last.next = slot;
    else this.#first = slot;
    this.#last = slot;
    return slot;
  }

  // ---- details below; callers need not read ----

  slotDone(): void {
    for (let slot = this.#first; slot?.isDone; slot = this.#first) {
      this.#remove(slot);
      slot.send();
    }
  }

  slotFailed(slot: Slot, error: RuntimeError): void {
    this.#remove(slot);
    slot.reply.end(error);
    this.slotDone();
  }

  #remove(slot: Slot): void {
    if (slot.previous) slot.previous.next = slot.next;
    else this.#first = slot.next;
    if (slot.next) slot.next.previous = slot.previous;
    else this.#last = slot.previous;
    slot.next = slot.previous = undefined;
  }
}

class Slot implements Reply {
  readonly reply: Reply;
  next: Slot | undefined;
  previous: Slot | undefined;
  isDone = false;
  readonly #order: ResponseOrder;
  readonly #responses: InferenceResponse[] = [];

  constructor(order: ResponseOrder, reply: Reply) {
    this.#order = order;
    this.reply = reply;
  }

  response(response: InferenceResponse): void {
    this.#responses.push(response);
  }

  end(error?: RuntimeError): void {
    if (error) {
      this.#order.slotFailed(this, error);
      return;
    }
    this.isDone = true;
    this.#order.slotDone();
  }

  send(): void {
    for (const response of this.#responses) this.reply.response(response);
    this.reply.end();
  }
}
