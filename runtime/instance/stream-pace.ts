// The answers of one stream on their way from its thread to its reader: the thread is told which have been taken, and not before the reader
// has room for more. While it waits for that, the stream takes no slot, no resources and no time of its own.

import { MOST_UNREAD, unreadShare, type Pace, type PaceListener } from '../core/call.js';

/** Not each by itself: that would be as many messages as there are answers. */
const TOLD_AT_ONCE = MOST_UNREAD / 2;

/** What is asked of the thread. */
interface Held {
  waits(): void;
  goesOn(then: () => void): void;
}

export interface StreamPaceParts {
  readonly task: Held;
  /** Undefined: answers are read as they come. */
  readonly reader: Pace | undefined;
  /** Tells the thread. */
  readonly taken: (share: number) => void;
  /** The stream takes no slot any more. */
  readonly slotFree: () => void;
}

export class StreamPace implements PaceListener {
  readonly #parts: StreamPaceParts;
  /** Of answers of which the thread has not been told. */
  #untold = 0;
  #isHeld = false;

  constructor(parts: StreamPaceParts) {
    this.#parts = parts;
  }

  /** An answer of so many bytes has been handed on. */
  answered(bytes: number): void {
    this.#untold += unreadShare(bytes);
    if (this.#isHeld) return;
    const { reader, task, slotFree } = this.#parts;
    if (!reader?.isBehind) {
      if (this.#untold >= TOLD_AT_ONCE) this.#tell();
      return;
    }
    this.#isHeld = true;
    task.waits();
    slotFree();
    reader.onReady(this);
  }

  readerReady(): void {
    this.#parts.task.goesOn(() => {
      this.#isHeld = false;
      this.#tell();
    });
  }

  // ---- details below; callers need not read ----

  #tell(): void {
    this.#parts.taken(this.#untold);
    this.#untold = 0;
  }
}
