// The endpoints of one remote model with all that belongs to them: where they are, their connections, their health. Nothing is
// connected to before the first request, unless their health is watched.

import type { RemoteConfig } from '../config/remote-config.js';
import type { Clock } from '../core/clock.js';
import type { EndpointConnection } from './endpoint-connection.js';
import { EndpointAddresses, type LookUp } from './endpoint-addresses.js';
import type { Endpoint } from './endpoint.js';
import { Endpoints } from './endpoints.js';
import { HealthWatch } from './health-watch.js';

export interface RemoteEndpointsParts {
  readonly clock: Clock;
  /** `serverName`: '' where the certificate names the address. */
  readonly connect: (address: string, serverName: string) => EndpointConnection;
  readonly lookUp?: LookUp;
}

export class RemoteEndpoints {
  readonly endpoints: Endpoints;
  readonly #addresses: EndpointAddresses;
  readonly #watches = new Map<Endpoint, HealthWatch>();
  readonly #clock: Clock;
  readonly #isWatched: boolean;
  #isClosed = false;

  /** Resolves when names have been looked up, or could not be. */
  static async open(config: RemoteConfig, parts: RemoteEndpointsParts): Promise<RemoteEndpoints> {
    const opened = new RemoteEndpoints(config, parts);
    await opened.#addresses.look();
    return opened;
  }

  private constructor(config: RemoteConfig, { connect, ...parts }: RemoteEndpointsParts) {
    this.#clock = parts.clock;
    this.#isWatched = config.healthCheck;
    this.#addresses = new EndpointAddresses(config.endpoints, {
      ...parts,
      changed: (addresses) => this.#become(addresses),
    });
    const ownName = config.tls?.serverName ?? '';
    this.endpoints = new Endpoints({
      clock: parts.clock,
      ejection: config.ejection,
      open: (address) => connect(address, ownName || this.#addresses.serverName(address)),
    });
  }

  /** Before a request: names may have other addresses by now. */
  refresh(): void {
    const { all } = this.endpoints;
    this.#addresses.refresh(all.length === 0 || all.some(isInTrouble));
  }

  /** Why there is none. */
  get problem(): string {
    return this.#addresses.problem;
  }

  close(): void {
    this.#isClosed = true;
    for (const watch of this.#watches.values()) watch.close();
    this.endpoints.close();
  }

  #become(addresses: readonly string[]): void {
    if (this.#isClosed) return;
    const came = this.endpoints.become(addresses);
    if (!this.#isWatched) return;
    for (const [endpoint, watch] of this.#watches) {
      if (this.endpoints.all.includes(endpoint)) continue;
      watch.close();
      this.#watches.delete(endpoint);
    }
    for (const endpoint of came)
      this.#watches.set(endpoint, new HealthWatch(endpoint, this.#clock));
  }
}

function isInTrouble({ connection }: Endpoint): boolean {
  return connection.state === 'down';
}
