// What a client can be told, and what it does when it is told nothing.

import { invalid } from './inferd-error.js';

export type Metadata = Readonly<Record<string, string | Buffer>>;

export interface TlsOptions {
  /** Whom to trust, as PEM; without it, what Node.js trusts. */
  readonly rootCertificates?: Buffer;
  /** For servers that want to know the client, as PEM; both or none. */
  readonly privateKey?: Buffer;
  readonly certificateChain?: Buffer;
  /** The name in the server's certificate, where it is not the one that is connected to. */
  readonly serverName?: string;
}

export interface RetryOptions {
  /** Further attempts after the first; 0 turns retries off. [3] */
  readonly max?: number;
  /** The first wait is a random time up to this, the next up to twice as long, and so on. [50] */
  readonly initialBackoffMs?: number;
  /** No wait is longer. [1000] */
  readonly maxBackoffMs?: number;
  /** Retries may be this many percent of the calls; 100 may go before that counts. [20] */
  readonly budgetPercent?: number;
}

/** A second request to another address when the first has not been answered after `delayMs`, or after that quantile of latency. */
export interface HedgeOptions {
  readonly delayMs?: number;
  /** Of the model's latest 1000 requests, such as 0.95; no hedges before 100 have been seen. */
  readonly quantile?: number;
  /** Second requests may be this many percent of the calls; 100 may go before that counts. [5] */
  readonly budgetPercent?: number;
}

export interface KeepaliveOptions {
  /** A ping is sent after this time without data. Servers refuse clients that ping too often: Triton, below 5 minutes. */
  readonly timeMs: number;
  /** The connection is given up when a ping is not answered in this time. [20000] */
  readonly timeoutMs?: number;
  /** Also while no call is under way. [false] */
  readonly permitWithoutCalls?: boolean;
}

export interface ClientOptions {
  /**
   * Servers as 'host:port', or one 'name:port' whose DNS addresses are the servers, such as a headless service of Kubernetes.
   * Each has one connection.
   */
  readonly addresses: string | readonly string[];
  /** true: TLS with what Node.js trusts. [no TLS] */
  readonly tls?: boolean | TlsOptions;
  /** For all attempts of a call together; Infinity: none. [30000] */
  readonly deadlineMs?: number;
  /** A number is the number of further attempts. [3] */
  readonly retries?: number | RetryOptions;
  /** [no hedging] */
  readonly hedge?: HedgeOptions;
  /** [no pings] */
  readonly keepalive?: KeepaliveOptions;
  /** Sent with every call. */
  readonly metadata?: Metadata;
}

const RETRY_DEFAULTS = {
  max: 3,
  initialBackoffMs: 50,
  maxBackoffMs: 1_000,
  budgetPercent: 20,
} satisfies Required<RetryOptions>;

const HEDGE_DEFAULTS = { budgetPercent: 5 };
const DEADLINE_MS = 30_000;

export type RetrySettings = Readonly<Required<RetryOptions>>;
export type HedgeSettings = HedgeOptions & { readonly budgetPercent: number };

/** The options with their defaults, checked. */
export interface ClientSettings {
  readonly addresses: string | readonly string[];
  readonly tls: TlsOptions | undefined;
  readonly deadlineMs: number;
  readonly retry: RetrySettings;
  readonly hedge: HedgeSettings | undefined;
  readonly keepalive: KeepaliveOptions | undefined;
  readonly metadata: Metadata;
}

/** @throws InferdError INVALID_ARGUMENT */
export function clientSettings(options: ClientOptions): ClientSettings {
  const { addresses, tls, deadlineMs = DEADLINE_MS, keepalive, metadata = {} } = options;
  if (!(deadlineMs > 0)) throw invalid(`deadlineMs is a positive number, got ${deadlineMs}`);
  return {
    addresses: checkedAddresses(addresses),
    tls: tls === true ? {} : tls || undefined,
    deadlineMs,
    retry: retrySettings(options.retries),
    hedge: options.hedge && hedgeSettings(options.hedge),
    keepalive,
    metadata,
  };
}

function checkedAddresses(addresses: string | readonly string[]): string | readonly string[] {
  if (addresses.length === 0)
    throw invalid("addresses is empty; name a server: ['localhost:8001']");
  if (typeof addresses === 'string') {
    checkAddress(addresses);
    return addresses;
  }
  for (const address of addresses) checkAddress(address);
  return [...new Set(addresses)];
}

function checkAddress(address: string): void {
  if (/^[a-z]+:\/\//i.test(address))
    throw invalid(`address '${address}' has a scheme; write host:port, and tls: true for TLS`);
  const port = Number(/^[^\s/]+:(\d+)$/.exec(address)?.[1]);
  if (!(port > 0 && port < 65_536))
    throw invalid(`address '${address}' is not host:port, such as localhost:8001`);
}

function retrySettings(retries: number | RetryOptions = {}): RetrySettings {
  const given = typeof retries === 'number' ? { max: retries } : retries;
  return checked('retries', { ...RETRY_DEFAULTS, ...given });
}

function hedgeSettings(options: HedgeOptions): HedgeSettings {
  const { delayMs, quantile } = options;
  if ((delayMs === undefined) === (quantile === undefined))
    throw invalid('hedge takes either delayMs or quantile');
  if (quantile !== undefined && !(quantile > 0 && quantile < 1))
    throw invalid(`hedge.quantile is between 0 and 1, got ${quantile}`);
  return checked('hedge', { ...HEDGE_DEFAULTS, ...options });
}

function checked<T extends object>(name: string, settings: T): T {
  for (const [key, value] of Object.entries(settings))
    if (!(Number(value) >= 0))
      throw invalid(`${name}.${key} is a number from 0 on, got ${String(value)}`);
  return settings;
}
