// What waits to leave on a stream: goes out in the order in which it came, and no faster than the caller reads.

import type { Pace, PaceListener } from '../core/call.js';
import { Fifo } from './fifo.js';
import type { StreamCall } from './grpc-transport.js';

/** Answers that wait for the caller to read: some thousand small ones, which keep any connection busy. */
export const MOST_WAITING_BYTES = 2 ** 20;

/** What a message costs beside its bytes, about: that of many small ones must count. */
const MESSAGE_BYTES = 256;

export class StreamOutbox implements Pace {
  readonly #call: StreamCall;
  readonly #messages = new Fifo<Buffer>();
  readonly #listeners: PaceListener[] = [];
  #bytes = 0;
  #isBlocked = false;

  /** `onSent` is told when the caller has read, and messages that waited have left. */
  constructor(call: StreamCall, onSent: () => void) {
    this.#call = call;
    call.onDrain(() => {
      this.#isBlocked = false;
      this.#send();
      this.#tell();
      onSent();
    });
  }

  static costOf(message: Buffer): number {
    return message.length + MESSAGE_BYTES;
  }

  /** So much waits that nothing more should come. */
  get isBehind(): boolean {
    return this.#bytes > MOST_WAITING_BYTES;
  }

  get isEmpty(): boolean {
    return this.#messages.isEmpty;
  }

  onReady(listener: PaceListener): void {
    this.#listeners.push(listener);
  }

  put(message: Buffer): void {
    this.#messages.push(message);
    this.#bytes += StreamOutbox.costOf(message);
    this.#send();
  }

  clear(): void {
    this.#messages.clear();
    this.#bytes = 0;
    this.#tell();
  }

  #tell(): void {
    if (this.isBehind) return;
    for (const listener of this.#listeners.splice(0)) listener.readerReady();
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
