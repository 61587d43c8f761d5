// One sequence: the requests that share an id, from the one that starts it to the one that ends it, or to its idle time. They run
// one after the other, in the order in which they came, and hand on the model's state.

import type { Call } from '../core/call.js';
import type { InferenceRequest } from '../core/inference.js';
import type { Reply } from '../core/servable.js';
import type { Tensor } from '../core/tensor.js';
import { TimerNode } from '../core/timer-wheel.js';
import { QueueEntry, type EntryOwner } from './queue-entry.js';
import type { SequenceId } from './sequence-id.js';

/** What a sequence tells its scheduler. */
export interface SequenceOwner {
  /** In the backlog: its time to wait there is over. In a slot: it has been idle for too long. */
  sequenceDue(sequence: Sequence): void;
}

export class Sequence extends TimerNode {
  readonly id: SequenceId;
  /** Tells it from others that have its id before or after it. */
  readonly serial: number;
  /** In the order in which they came. */
  readonly waiting: SequenceEntry[] = [];
  running: SequenceEntry | undefined;
  /** Answers of it that are kept back for those of others. */
  unanswered = 0;
  /** What its last step left, in the order of the configuration's states; undefined: the model's initial state. */
  state: readonly Tensor[] | undefined;
  place: 'backlog' | 'slot' | 'gone' = 'backlog';
  /** Further requests with its id belong to it. */
  isOpen = true;
  /** When it leaves the backlog unserved. */
  expiresAt = Infinity;
  readonly #owner: SequenceOwner;

  constructor(owner: SequenceOwner, id: SequenceId, serial: number) {
    super();
    this.#owner = owner;
    this.id = id;
    this.serial = serial;
  }

  /** It has a slot, and something of it waits or runs. */
  get isBusyInSlot(): boolean {
    return this.place === 'slot' && (this.running !== undefined || this.waiting.length > 0);
  }

  /** What comes next goes on from something. */
  get hasBegun(): boolean {
    return this.running !== undefined || this.waiting[0]?.isStart !== true;
  }

  override onDue(): void {
    this.#owner.sequenceDue(this);
  }
}

export class SequenceEntry extends QueueEntry {
  readonly sequence: Sequence;

  constructor(
    owner: EntryOwner,
    asked: { request: InferenceRequest; call: Call; reply: Reply },
    sequence: Sequence,
  ) {
    super(owner, asked, 1);
    this.sequence = sequence;
  }

  get isStart(): boolean {
    return this.request.parameters.sequenceStart;
  }

  get isEnd(): boolean {
    return this.request.parameters.sequenceEnd;
  }
}
