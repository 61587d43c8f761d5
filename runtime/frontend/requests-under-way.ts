// What callers in this process wait for: the process lives as long as there is any, and the end of the server waits for it.

import { RuntimeError } from '../core/errors.js';
import type { KeepAlive } from '../core/keep-alive.js';

export interface RequestUnderWay {
  /** Its caller is told `error` now, and it leaves. */
  giveUp(error: RuntimeError): void;
}

export class RequestsUnderWay {
  readonly #keepAlive: KeepAlive;
  readonly #requests = new Set<RequestUnderWay>();
  #isClosed = false;
  #drained: (() => void) | undefined;

  constructor(keepAlive: KeepAlive) {
    this.#keepAlive = keepAlive;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws RuntimeError SHUTTING_DOWN */
  enter(request: RequestUnderWay): void {
    if (this.#isClosed)
      throw new RuntimeError('SHUTTING_DOWN', 'Server is stopping, no new requests are taken');
    this.#requests.add(request);
    this.#keepAlive.hold();
  }

  /** Again has no effect. */
  leave(request: RequestUnderWay): void {
    if (!this.#requests.delete(request)) return;
    this.#keepAlive.release();
    if (this.#requests.size === 0) this.#drained?.();
  }

  /** `work` is under way until it has ended. */
  during<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const request = {
        giveUp: (error: RuntimeError) => {
          this.leave(request);
          reject(error);
        },
      };
      this.enter(request);
      void work()
        .then(resolve, reject)
        .finally(() => this.leave(request));
    });
  }

  /** Nothing is taken any more. Resolves when all that is under way has ended. */
  drain(): Promise<void> {
    this.#isClosed = true;
    if (this.#requests.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#drained = resolve));
  }

  /** What is still under way is given up. */
  cutOff(): void {
    for (const request of [...this.#requests])
      request.giveUp(new RuntimeError('SHUTTING_DOWN', 'Server is stopping'));
  }
}
