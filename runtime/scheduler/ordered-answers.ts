// Answers of steps in the order in which the steps were started (oldest.preserve_ordering). A sequence is not idle while an answer
// of it is held for others: its caller cannot know what comes next.

import type { RuntimeError } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import type { Reply } from '../core/servable.js';
import { ResponseOrder } from './response-order.js';
import type { Sequence, SequenceEntry } from './sequence.js';

export class OrderedAnswers {
  readonly #order = new ResponseOrder();
  readonly #answered: (sequence: Sequence) => void;

  /** `answered` is told before an answer leaves. */
  constructor(answered: (sequence: Sequence) => void) {
    this.#answered = answered;
  }

  /**
   * The entry is about to run; one that is tried once more keeps its place. Not before that: a step in the backlog would hold the
   * answers of those whose end it waits for.
   */
  started(entry: SequenceEntry): void {
    if (entry.alone) return;
    entry.sequence.unanswered++;
    entry.reply = this.#order.slotFor(new CountedReply(entry, this.#answered));
  }
}

// ---- details below; callers need not read ----

class CountedReply implements Reply {
  readonly #sequence: Sequence;
  readonly #reply: Reply;
  readonly #answered: (sequence: Sequence) => void;

  constructor({ sequence, reply }: SequenceEntry, answered: (sequence: Sequence) => void) {
    this.#sequence = sequence;
    this.#reply = reply;
    this.#answered = answered;
  }

  response(response: InferenceResponse): void {
    this.#reply.response(response);
  }

  end(error?: RuntimeError): void {
    this.#sequence.unanswered--;
    this.#answered(this.#sequence);
    this.#reply.end(error);
  }
}
