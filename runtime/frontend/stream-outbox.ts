// What waits to leave on a stream: goes out in the order in which it came, and no faster than the caller reads.

import { Fifo } from './fifo.js';
import type { StreamCall } from './grpc-transport.js';

/** What a message costs beside its bytes, about: that of many small ones must count. */
const MESSAGE_BYTES = 256;

export class StreamOutbox {
  readonly #call: StreamCall;
  readonly #messages = new Fifo<Buffer>();
  #bytes = 0;
  #isBlocked = false;

  /** `onSent` is told when the caller has read, and messages that waited have left. */
  constructor(call: StreamCall, onSent: () => void) {
    this.#call = call;
    call.onDrain(() => {
      this.#isBlocked = false;
      this.#send();
      onSent();
    });
  }

  static costOf(message: Buffer): number {
    return message.length + MESSAGE_BYTES;
  }

  /** The cost of all that waits. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#messages.isEmpty;
  }

  put(message: Buffer): void {
    this.#messages.push(message);
    this.#bytes += StreamOutbox.costOf(message);
    this.#send();
  }

  clear(): void {
    this.#messages.clear();
    this.#bytes = 0;
  }

  #send(): void {
    while (!this.#isBlocked) {
      const message = this.#messages.shift();
      if (!message) return;
      this.#bytes -= StreamOutbox.costOf(message);
      this.#isBlocked = !this.#call.send(message);
    }
  }
}
