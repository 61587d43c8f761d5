// Whom to ask next: one connection per address, in turn, of those that are up. A request is only ever sent where there is a
// connection; while there is none but one may come, callers wait. When none can be had, the next one tells why.

import type { AddressSource } from './address-source.js';
import type { Clock } from './clock.js';
import type { Connection } from './connection.js';
import { InferdError, errorOfAbort } from './inferd-error.js';

export interface BalancerPorts {
  readonly clock: Clock;
  readonly open: (address: string, onChange: () => void) => Connection;
}

/** A name is looked up again after this time, at the next call; sooner when a server is down. */
const REFRESH_MS = 30_000;
const REFRESH_DOWN_MS = 1_000;
/** As long as none has ever been found. */
const REFRESH_NONE_MS = 100;

export class Balancer {
  readonly #source: AddressSource;
  readonly #ports: BalancerPorts;
  readonly #waiting = new Set<() => void>();
  #connections: readonly Connection[] = [];
  /** Why there are no addresses; undefined before the first look-up has ended. */
  #problem: Error | undefined;
  #lookedUpAt = -Infinity;
  #isLookingUp = false;
  #isClosed = false;
  #next = 0;

  constructor(source: AddressSource, ports: BalancerPorts) {
    this.#source = source;
    this.#ports = ports;
  }

  /**
   * A connection that is ready, if possible none of `tried`, the last of which comes last. @throws the reason of the signal, or
   * InferdError UNAVAILABLE when no address can be found
   */
  async ready(tried: readonly Connection[], signal: AbortSignal): Promise<Connection> {
    for (;;) {
      const found = this.#pick(tried);
      if (found) return found;
      await this.#changed(signal);
    }
  }

  /** How many there are, ready or not. */
  get size(): number {
    return this.#connections.length;
  }

  /** Another connection that is ready now. */
  other(tried: readonly Connection[]): Connection | undefined {
    return this.#inTurn((connection) => isReady(connection) && !tried.includes(connection));
  }

  /** All of them, ready or not. @throws as `ready` */
  async all(signal: AbortSignal): Promise<readonly Connection[]> {
    while (!this.#pick([]) && this.#connections.length === 0) await this.#changed(signal);
    return this.#connections;
  }

  /** The connection to that address, ready or not. @throws InferdError INVALID_ARGUMENT when there is none */
  async at(address: string, signal: AbortSignal): Promise<Connection> {
    const connections = await this.all(signal);
    const found = connections.find((connection) => connection.address === address);
    if (found) return found;
    const known = connections.map((connection) => connection.address).join(', ');
    throw new InferdError(
      'INVALID_ARGUMENT',
      `'${address}' is none of the client's addresses: ${known}`,
    );
  }

  /** Calls under way come to their end; no others begin. */
  close(): void {
    this.#isClosed = true;
    for (const connection of this.#connections) connection.close();
    this.#notify();
  }

  #pick(tried: readonly Connection[]): Connection | undefined {
    if (this.#isClosed) throw new InferdError('CANCELLED', 'the client is closed');
    this.#refresh();
    if (this.#connections.length === 0 && this.#problem) throw this.#problem;
    for (const connection of this.#connections)
      if (connection.state === 'idle') connection.connect();
    const found =
      this.other(tried) ??
      this.#inTurn((connection) => isReady(connection) && connection !== tried.at(-1)) ??
      this.#inTurn(isReady);
    if (found) return found;
    const mayCome = this.#connections.some(({ state }) => state !== 'down');
    return mayCome ? undefined : this.#inTurn(() => true);
  }

  #inTurn(isWanted: (connection: Connection) => boolean): Connection | undefined {
    const count = this.#connections.length;
    for (let step = 0; step < count; step++) {
      const at = (this.#next + step) % count;
      if (!isWanted(this.#connections[at]!)) continue;
      this.#next = at + 1;
      return this.#connections[at];
    }
    return undefined;
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(end);
        signal.removeEventListener('abort', end);
        if (signal.aborted) reject(errorOfAbort(signal));
        else resolve();
      };
      this.#waiting.add(end);
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
    });
  }

  #notify = (): void => {
    for (const end of [...this.#waiting]) end();
  };

  #refresh(): void {
    if (this.#isLookingUp) return;
    if (this.#connections.length > 0 && !this.#source.changes) return;
    const age = this.#ports.clock.now() - this.#lookedUpAt;
    if (age < this.#refreshMs()) return;
    this.#isLookingUp = true;
    this.#problem = undefined;
    void this.#lookUp();
  }

  #refreshMs(): number {
    if (this.#connections.length === 0) return REFRESH_NONE_MS;
    return this.#connections.every(isReady) ? REFRESH_MS : REFRESH_DOWN_MS;
  }

  async #lookUp(): Promise<void> {
    try {
      this.#connectTo(await this.#source.resolve());
    } catch (error) {
      this.#problem = error as Error;
    }
    this.#lookedUpAt = this.#ports.clock.now();
    this.#isLookingUp = false;
    this.#notify();
  }

  #connectTo(addresses: readonly string[]): void {
    if (this.#isClosed) return;
    const old = this.#connections;
    this.#connections = addresses.map(
      (address) =>
        old.find((connection) => connection.address === address) ??
        this.#ports.open(address, this.#notify),
    );
    for (const connection of old) if (!this.#connections.includes(connection)) connection.close();
  }
}

function isReady({ state }: Connection): boolean {
  return state === 'ready';
}
