// Answers in a Redis that servers share. No request waits longer for it than LOOKUP_MS, and none at all while the connection is
// lost or when Redis has been too slow several times in a row (circuit); it is then executed like any other.

import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import { bytesIn, type Tensor } from '../core/tensor.js';
import { Circuit } from './circuit.js';
import { LookupLimit, type LimitedLookup } from './lookup-limit.js';
import { decodeOutputs, encodeOutputs } from './outputs-codec.js';
import type { RedisConnection } from './redis-connection.js';
import type { CacheLookup, CacheUsage, ResponseCache } from './response-cache.js';

/** The longest that a lookup holds a request up. */
export const LOOKUP_MS = 2;
/** What is larger could not be read within LOOKUP_MS: it would only make Redis look slow. */
export const MAX_ANSWER_BYTES = 2 ** 20;
/** With names, types and shapes. */
const MAX_VALUE_BYTES = MAX_ANSWER_BYTES + 2 ** 16;
/** Answers that Redis has not confirmed yet; what comes on top is not kept. */
export const MAX_UNCONFIRMED_BYTES = 32 * 2 ** 20;
const CIRCUIT = { failuresToOpen: 5, pauseMs: 1_000 };
/** The same trouble is told no more often. */
const TELL_EVERY_MS = 60_000;
const PREFIX = 'inferd:response:';

type Trouble = 'slow' | 'refused';

export interface RedisCacheParts {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  readonly log: Log;
}

export class RedisResponseCache implements ResponseCache {
  readonly #parts: RedisCacheParts;
  readonly #circuit = new Circuit(CIRCUIT);
  readonly #limit: LookupLimit;
  #unconfirmedBytes = 0;
  readonly #toldAt: Record<Trouble, number> = { slow: -Infinity, refused: -Infinity };

  constructor(parts: RedisCacheParts) {
    this.#parts = parts;
    this.#limit = new LookupLimit(parts.clock);
  }

  lookup(key: string, lookup: CacheLookup): void {
    const { clock, connection } = this.#parts;
    const now = clock.now();
    // Who has not even the time for a lookup needs it for the model.
    const isWorthIt = connection.isReady && lookup.deadline - now > LOOKUP_MS;
    if (!isWorthIt || !this.#circuit.mayAsk(now)) {
      lookup.found(undefined);
      return;
    }
    const asked = new AskedLookup(lookup, now + LOOKUP_MS, this);
    this.#limit.add(asked);
    connection.get(PREFIX + key, MAX_VALUE_BYTES).then(
      (value) => this.#answered(asked, value),
      (error: unknown) => this.#failed(asked, error),
    );
  }

  insert(key: string, outputs: readonly Tensor[]): void {
    const { connection } = this.#parts;
    if (!connection.isReady || this.#circuit.isOpen) return;
    if (this.#unconfirmedBytes >= MAX_UNCONFIRMED_BYTES) return;
    if (bytesIn(outputs) > MAX_ANSWER_BYTES) return;
    const value = encodeOutputs(outputs);
    if (value.length > MAX_VALUE_BYTES) return;
    this.#unconfirmedBytes += value.length;
    connection.set(PREFIX + key, value).then(
      () => (this.#unconfirmedBytes -= value.length),
      (error: unknown) => {
        this.#unconfirmedBytes -= value.length;
        this.#tell(error);
      },
    );
  }

  usage(): CacheUsage | undefined {
    return undefined;
  }

  close(): Promise<void> {
    this.#parts.connection.close();
    return Promise.resolve();
  }

  /** @internal */
  timedOut(): void {
    const { clock, log } = this.#parts;
    if (!this.#circuit.failed(clock.now()) || !this.#mayTell('slow')) return;
    const text = `the response cache did not answer ${CIRCUIT.failuresToOpen} lookups within ${LOOKUP_MS} ms each`;
    log.warn({}, `${text}; models run without it until it does`);
  }

  // ---- details below; callers need not read ----

  /** An answer that comes too late says that Redis is slow, and that has been noted. */
  #answered(asked: AskedLookup, value: Buffer | null): void {
    if (!this.#limit.remove(asked)) return;
    if (this.#circuit.succeeded()) this.#parts.log.info({}, 'the response cache answers again');
    asked.lookup.found(value ? decodeOutputs(value) : undefined);
  }

  #failed(asked: AskedLookup, error: unknown): void {
    this.#tell(error);
    if (this.#limit.remove(asked)) asked.lookup.found(undefined);
  }

  /** That the connection is lost is told by itself. */
  #tell(error: unknown): void {
    const { connection, log } = this.#parts;
    if (!connection.isReady || !this.#mayTell('refused')) return;
    log.warn({}, `the response cache refuses a command: ${String(error)}`);
  }

  #mayTell(trouble: Trouble): boolean {
    const now = this.#parts.clock.now();
    if (now - this.#toldAt[trouble] < TELL_EVERY_MS) return false;
    this.#toldAt[trouble] = now;
    return true;
  }
}

class AskedLookup implements LimitedLookup {
  readonly lookup: CacheLookup;
  readonly dueAt: number;
  readonly #cache: RedisResponseCache;

  constructor(lookup: CacheLookup, dueAt: number, cache: RedisResponseCache) {
    this.lookup = lookup;
    this.dueAt = dueAt;
    this.#cache = cache;
  }

  timedOut(): void {
    this.#cache.timedOut();
    this.lookup.found(undefined);
  }
}
