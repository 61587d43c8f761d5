// One bidirectional stream: requests are written at the pace the step asks for, responses collected until the status comes.

import { status, type ClientDuplexStream, type StatusObject } from '@grpc/grpc-js';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from './json.js';
import type { Outcome } from './outcome.js';
import type { Step } from './scenario.js';

/** How long a lockstep stream waits for the response to a request before it sends the next one all the same. */
const TURN_LIMIT_MS = 20_000;

export type Stream = ClientDuplexStream<Buffer, Buffer>;

export class StreamCall {
  readonly #call: Stream;
  readonly #step: Step;
  readonly #responses: Buffer[] = [];
  readonly #over = new AbortController();

  constructor(call: Stream, step: Step) {
    this.#call = call;
    this.#step = step;
  }

  /** Never rejects for anything the server does. */
  async run(
    requests: readonly Buffer[],
    decode: (bytes: Buffer) => JsonObject,
  ): Promise<Pick<Outcome, 'answer'>> {
    const call = this.#call;
    call.on('data', (bytes: Buffer) => {
      this.#responses.push(bytes);
      if (this.#responses.length === this.#step.cancel_after_responses) call.cancel();
    });
    // The status tells the same.
    call.on('error', () => undefined);
    const readAll = new Promise((resolve) => call.once('end', resolve));
    const statusCame = new Promise<StatusObject>((resolve) => call.once('status', resolve));
    const writing = this.#write(requests);

    const { code, details } = await statusCame;
    this.#over.abort();
    await Promise.all([writing, readAll]);
    const message = code === status.OK ? '' : details;
    const ending = { grpc_code: status[code], grpc_message: message };
    return { answer: { ...ending, responses: this.#responses.map(decode) } };
  }

  async #write(requests: readonly Buffer[]): Promise<void> {
    const { gap_ms: gapMs, hold_ms: holdMs, lockstep } = this.#step;
    for (const [index, request] of requests.entries()) {
      if (index > 0 && gapMs !== undefined) await this.#pause(gapMs);
      if (index > 0 && lockstep === true) await this.#answered(index);
      if (this.#over.signal.aborted) return;
      this.#call.write(request);
    }
    if (holdMs !== undefined) await this.#pause(holdMs);
    if (!this.#over.signal.aborted) this.#call.end();
  }

  /** Until so many responses have come. */
  async #answered(count: number): Promise<void> {
    const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(TURN_LIMIT_MS)]);
    while (this.#responses.length < count && !signal.aborted)
      await once(this.#call, 'data', { signal }).catch(() => undefined);
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#over.signal }).catch(() => undefined);
  }
}
