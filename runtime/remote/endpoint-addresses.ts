// Where the endpoints are: as the configuration lists them, and, for a name, as many as it has addresses in DNS. Names are looked up
// again before a request when that was long ago, sooner when there is trouble; never by a timer.

import { lookup } from 'node:dns/promises';
import type { EndpointConfig } from '../config/remote-config.js';
import type { Clock } from '../core/clock.js';

interface Found {
  readonly address: string;
  readonly family: number;
}

export type LookUp = (host: string) => Promise<readonly Found[]>;

export interface EndpointAddressesParts {
  readonly clock: Clock;
  /** Told after a look-up, with all of them. */
  readonly changed: (addresses: readonly string[]) => void;
  readonly lookUp?: LookUp;
}

const REFRESH_MS = 30_000;
const REFRESH_IN_TROUBLE_MS = 1_000;

export class EndpointAddresses {
  readonly #configs: readonly EndpointConfig[];
  readonly #parts: EndpointAddressesParts & { readonly lookUp: LookUp };
  /** By the name that was looked up. */
  readonly #found = new Map<string, readonly string[]>();
  readonly #problems = new Map<string, string>();
  #lookedUpAt = -Infinity;
  #isLookingUp = false;

  constructor(configs: readonly EndpointConfig[], parts: EndpointAddressesParts) {
    this.#configs = configs;
    this.#parts = { lookUp: (host) => lookup(host, { all: true }), ...parts };
  }

  /** "host:port", each once. */
  get all(): readonly string[] {
    const addresses = this.#configs.flatMap(({ address, isName }) =>
      isName ? (this.#found.get(address) ?? []) : [address],
    );
    return [...new Set(addresses)];
  }

  /** The name in the certificate of what was looked up under a name; '' for what is in the list itself. */
  serverName(address: string): string {
    const name = [...this.#found].find(([, addresses]) => addresses.includes(address));
    return name ? hostOf(name[0]) : '';
  }

  /** Which names could not be looked up, and why. */
  get problem(): string {
    return [...this.#problems].map(([name, why]) => `${hostOf(name)}: ${why}`).join('; ');
  }

  /** Looks names up again if that was long ago; `trouble`: there may be others by now. */
  refresh(trouble: boolean): void {
    if (!this.#configs.some(({ isName }) => isName)) return;
    const age = this.#parts.clock.now() - this.#lookedUpAt;
    if (age >= (trouble ? REFRESH_IN_TROUBLE_MS : REFRESH_MS)) void this.look();
  }

  /** Resolves when all names have been looked up, or could not be. What a name had before it keeps until it has something else. */
  async look(): Promise<void> {
    if (this.#isLookingUp) return;
    this.#isLookingUp = true;
    const names = this.#configs.filter(({ isName }) => isName);
    await Promise.all(names.map(({ address }) => this.#look(address)));
    this.#lookedUpAt = this.#parts.clock.now();
    this.#isLookingUp = false;
    this.#parts.changed(this.all);
  }

  async #look(name: string): Promise<void> {
    const port = name.slice(name.lastIndexOf(':'));
    try {
      const found = await this.#parts.lookUp(hostOf(name));
      // A server with addresses of both families is still one. The system lists the family first that it can reach.
      const reachable = found.filter(({ family }) => family === found[0]!.family);
      const addresses = reachable.map(({ address, family }) =>
        family === 6 ? `[${address}]${port}` : `${address}${port}`,
      );
      this.#found.set(name, addresses);
      this.#problems.delete(name);
    } catch (error) {
      this.#problems.set(name, (error as Error).message);
    }
  }
}

function hostOf(name: string): string {
  return name.slice(0, name.lastIndexOf(':'));
}
