// Where the servers are: a list as it was given, or the addresses that a name has in DNS, which change.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { InferdError } from './inferd-error.js';

export interface AddressSource {
  /** The name behind the addresses, which a certificate names; undefined for a list. */
  readonly name: string | undefined;
  /** Whether asking again can give something else. */
  readonly changes: boolean;
  /** 'host:port', at least one. @throws InferdError UNAVAILABLE when the name cannot be resolved */
  resolve(): Promise<readonly string[]>;
}

interface Resolved {
  readonly address: string;
  readonly family: number;
}

type Lookup = (host: string) => Promise<readonly Resolved[]>;

const systemLookup: Lookup = (host) => lookup(host, { all: true });

export function addressSource(
  addresses: string | readonly string[],
  lookUp: Lookup = systemLookup,
): AddressSource {
  if (typeof addresses !== 'string') return fixed(addresses);
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(addresses) ?? [];
  // localhost is one server under two addresses.
  if (isIP(host) !== 0 || host === 'localhost') return fixed([addresses]);
  return { name: host, changes: true, resolve: () => resolveName(host, port, lookUp) };
}

function fixed(addresses: readonly string[]): AddressSource {
  return { name: undefined, changes: false, resolve: () => Promise.resolve(addresses) };
}

async function resolveName(host: string, port: string, lookUp: Lookup): Promise<string[]> {
  let found: readonly Resolved[];
  try {
    found = await lookUp(host);
  } catch (cause) {
    const text = `cannot find the servers '${host}': ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new InferdError('UNAVAILABLE', text, { cause });
  }
  // A server with addresses of both families is still one server. The system lists the family first that it can reach.
  return found
    .filter(({ family }) => family === found[0]!.family)
    .map(({ address, family }) => (family === 6 ? `[${address}]:${port}` : `${address}:${port}`));
}
