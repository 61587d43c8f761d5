// grpc.health.v1 Watch of one endpoint: it says itself when it should get no requests, before it begins to refuse them. An endpoint
// without such a service counts as healthy, and so does one that cannot be asked: whether it can be reached the connection knows.

import type { Clock, Timer } from '../core/clock.js';
import { WireReader } from '../wire/wire-reader.js';
import type { CallStatus, PendingCall, StreamListener } from './endpoint-connection.js';
import type { Endpoint } from './endpoint.js';
import { STATUS } from './status-error.js';

const WATCH_PATH = '/grpc.health.v1.Health/Watch';
/** The whole server: HealthCheckRequest without a service. */
const REQUEST = Buffer.alloc(0);
const SERVING = 1;
const AGAIN_MS = 2_000;

export class HealthWatch implements StreamListener {
  readonly #endpoint: Endpoint;
  readonly #clock: Clock;
  #pending: PendingCall | undefined;
  #again: Timer;
  #isClosed = false;

  constructor(endpoint: Endpoint, clock: Clock) {
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#watch();
  }

  message(bytes: Buffer): void {
    if (!this.#isClosed) this.#endpoint.isHealthy = isServing(bytes);
  }

  ended({ code }: CallStatus): void {
    if (this.#isClosed) return;
    this.#endpoint.isHealthy = true;
    if (code === STATUS.UNIMPLEMENTED) return;
    this.#again = this.#clock.setTimer(() => this.#watch(), AGAIN_MS);
  }

  close(): void {
    this.#isClosed = true;
    this.#pending?.cancel();
    if (this.#again !== undefined) this.#clock.clearTimer(this.#again);
  }

  #watch(): void {
    const call = { path: WATCH_PATH, message: REQUEST, timeoutMs: Infinity };
    this.#pending = this.#endpoint.connection.stream(call, this);
  }
}

/** What nobody can read says nothing against an endpoint. */
function isServing(bytes: Buffer): boolean {
  try {
    return statusIn(bytes) === SERVING;
  } catch {
    return true;
  }
}

/** HealthCheckResponse: status 1; 0, UNKNOWN, where it was not sent. @throws RuntimeError when the bytes are no such message */
function statusIn(bytes: Buffer): number {
  const reader = new WireReader(bytes);
  let status = 0;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x08) status = reader.uint32();
    else reader.skip(tag & 7);
  }
  return status;
}
