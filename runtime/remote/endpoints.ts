// Which endpoint a request goes to: the next one in turn of those that are best, where best is one that this request has not been sent
// to, that is not ejected, and that is connected. At most half of them are ejected at a time, so the last one never is.

import type { EjectionConfig } from '../config/remote-config.js';
import type { Clock } from '../core/clock.js';
import type { EndpointConnection } from './endpoint-connection.js';
import { Endpoint } from './endpoint.js';

export interface EndpointsParts {
  readonly clock: Clock;
  readonly ejection: EjectionConfig;
  readonly open: (address: string) => EndpointConnection;
}

export class Endpoints {
  readonly #parts: EndpointsParts;
  #all: readonly Endpoint[] = [];
  #next = 0;

  constructor(parts: EndpointsParts) {
    this.#parts = parts;
  }

  get all(): readonly Endpoint[] {
    return this.#all;
  }

  /** The endpoints from now on; those that were there before stay as they are. Returns those that came. */
  become(addresses: readonly string[]): readonly Endpoint[] {
    const before = this.#all;
    this.#all = addresses.map(
      (address) =>
        before.find((endpoint) => endpoint.address === address) ??
        new Endpoint(address, this.#parts.open(address), this.#parts),
    );
    for (const endpoint of before) if (!this.#all.includes(endpoint)) endpoint.connection.close();
    return this.#all.filter((endpoint) => !before.includes(endpoint));
  }

  /** Undefined: there are none. Those without a connection begin to make one. */
  pick(tried: readonly string[] = NOWHERE): Endpoint | undefined {
    const now = this.#parts.clock.now();
    const count = this.#all.length;
    let best: Endpoint | undefined;
    let bestRank = Infinity;
    let bestAt = 0;
    for (let step = 0; step < count; step++) {
      const at = (this.#next + step) % count;
      const endpoint = this.#all[at]!;
      if (endpoint.connection.state === 'coming') endpoint.connection.connect();
      const rank = rankOf(endpoint, tried, now);
      if (rank >= bestRank) continue;
      [best, bestRank, bestAt] = [endpoint, rank, at];
    }
    this.#next = bestAt + 1;
    return best;
  }

  /** All requests of a sequence go to one endpoint, which holds its state; as long as that exists, to the same. */
  pickFor(sequence: string): Endpoint | undefined {
    let best: Endpoint | undefined;
    let highest = -1;
    for (const endpoint of this.#all) {
      const score = hash(`${endpoint.address} ${sequence}`);
      if (score > highest) [best, highest] = [endpoint, score];
    }
    return best;
  }

  /** How long an answer takes on average; 0 as long as there was none. */
  get meanMs(): number {
    let [answered, totalMs] = [0, 0];
    for (const { figures } of this.#all) {
      answered += figures.answered;
      totalMs += figures.totalMs;
    }
    return answered === 0 ? 0 : totalMs / answered;
  }

  /** A request sent at `sentAt` has failed, and `endpoint` is to be blamed. */
  failed(endpoint: Endpoint, sentAt: number): void {
    const now = this.#parts.clock.now();
    const mayEject = (): boolean => {
      const ejected = this.#all.filter(({ ejection }) => ejection.isEjected(now)).length;
      return ejected < Math.floor(this.#all.length / 2);
    };
    if (endpoint.ejection.failed({ sentAt, now }, mayEject)) endpoint.ejections.value++;
  }

  close(): void {
    for (const { connection } of this.#all) connection.close();
    this.#all = [];
  }
}

// ---- details below; callers need not read ----

const NOWHERE: readonly string[] = [];

/** The lowest is the best. One that is down answers nobody, so a second try where there is a connection comes before it. */
function rankOf(endpoint: Endpoint, tried: readonly string[], now: number): number {
  const { address, connection } = endpoint;
  const { state } = connection;
  const isNew = !tried.includes(address);
  if (state === 'down') return isNew ? 5 : 6;
  if (endpoint.isUsable(now)) return (isNew ? 0 : 3) + (state === 'ready' ? 0 : 1);
  return isNew ? 2 : 4;
}

/** FNV-1a, 32 bits, and the end of MurmurHash3: alone, the first would hardly tell texts apart that begin alike. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
