// What the server is told from outside: flags and environment -> values, checked, with units in their names, frozen.

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { LogSettings } from '../core/log.js';
import { PROTOCOL_CATEGORIES, type ProtocolCategory } from '../core/protocol-category.js';
import { parseByteSize } from './byte-size.js';
import { readCacheConfig, type CacheConfig } from './cache-config.js';
import { readBackendConfig } from './backend-config.js';
import { InvalidOption } from './invalid-option.js';
import { readMetricsConfig, type MetricsConfig } from './metrics-config.js';
import { readResourceLimits, type ResourceLimit } from './rate-limit-config.js';
import { readTraceConfig, type TracingConfig } from './trace-config.js';

export type ModelControlMode = 'none' | 'poll' | 'explicit';

export interface ServerOptions {
  readonly id: string;
  readonly modelRepositories: readonly string[];
  readonly modelControlMode: ModelControlMode;
  /** Between two looks of poll mode; 0: it never looks again. */
  readonly repositoryPollMs: number;
  /** Names, or 'all'. */
  readonly loadModels: 'all' | readonly string[];
  readonly modelLoadThreads: number;
  readonly autoComplete: boolean;
  readonly defaultMaxBatchSize: number;
  readonly strictReadiness: boolean;
  readonly exitOnError: boolean;
  /** From the word that the server stops until connections are refused. */
  readonly drainDelayMs: number;
  readonly exitTimeoutMs: number;
  /** What models may take together; undefined: as much as they like. */
  readonly maxModelMemoryBytes: number | undefined;
  readonly executorThreads: number;
  /** Undefined: nothing is cached, whatever models ask for. */
  readonly responseCache: CacheConfig | undefined;
  /** What instances share; undefined: they run regardless of resources. */
  readonly resourceLimits: readonly ResourceLimit[] | undefined;
  readonly grpc: GrpcOptions | undefined;
  readonly http: ListenOptions | undefined;
  readonly metrics: MetricsOptions | undefined;
  readonly log: LogOptions;
  readonly allowClientSharedMemory: boolean;
  /** Undefined: no traces. */
  readonly tracing: TracingConfig | undefined;
  /** Sentences on values that do nothing. */
  readonly warnings: readonly string[];
}

export interface ListenOptions {
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
}

export interface MetricsOptions extends ListenOptions, Omit<MetricsConfig, 'warnings'> {
  readonly cpu: boolean;
}

export interface GrpcOptions extends ListenOptions {
  readonly tls?: {
    readonly certificate: Buffer;
    readonly key: Buffer;
    readonly rootCertificate?: Buffer;
  };
  readonly restrictions: readonly GrpcRestriction[];
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly keepalivePermitWithoutCalls: boolean;
  readonly maxConnectionAgeMs: number;
  readonly maxConnectionAgeGraceMs: number;
  /** Of one connection; 0: any number. */
  readonly maxConcurrentStreams: number;
}

export interface GrpcRestriction {
  readonly categories: readonly ProtocolCategory[];
  readonly key: string;
  readonly value: string;
}

export interface LogOptions extends LogSettings {
  /** Every so many requests there is a line; 0: never. */
  readonly everyRequests: number;
}

/** Values by flag name, as text; a flag that may be repeated has all of them. Checked for kind, defaults filled in. */
export type FlagValues = ReadonlyMap<string, readonly string[]>;

/** `isEmbedded`: it need not have a front end. @throws InvalidOption */
export function serverOptionsFrom(
  values: FlagValues,
  environment: Readonly<Record<string, string | undefined>> = {},
  { isEmbedded = false }: { readonly isEmbedded?: boolean } = {},
): ServerOptions {
  const flags = new Flags(values);
  const repositories = repositoriesOf(flags);
  const mode = flags.text('model-control-mode') as ModelControlMode;
  checkPorts(flags, isEmbedded);
  const backend = readBackendConfig(flags.all('backend-config'));
  const metrics = readMetricsConfig(flags.all('metrics-config'));
  const traces = readTraceConfig(flags.all('trace-config'), environment);
  return Object.freeze({
    id: flags.text('id'),
    modelRepositories: repositories,
    modelControlMode: mode,
    repositoryPollMs: flags.integer('repository-poll-secs') * 1000,
    loadModels: modelsToLoad(flags.all('load-model'), mode),
    modelLoadThreads: Math.max(flags.integer('model-load-thread-count'), 1),
    autoComplete: !flags.flag('disable-auto-complete-config') && !flags.flag('strict-model-config'),
    defaultMaxBatchSize: backend.defaultMaxBatchSize,
    strictReadiness: flags.flag('strict-readiness'),
    exitOnError: flags.flag('exit-on-error'),
    drainDelayMs: flags.integer('drain-delay') * 1000,
    exitTimeoutMs: flags.integer('exit-timeout-secs') * 1000,
    maxModelMemoryBytes: byteSize(flags, 'max-model-memory'),
    executorThreads: flags.integer('executor-threads') || Math.max(8, 2 * availableParallelism()),
    responseCache: cacheConfig(flags, environment),
    resourceLimits: resourceLimits(flags),
    grpc: flags.flag('allow-grpc') ? grpcOptions(flags) : undefined,
    http: flags.flag('allow-http') ? flags.listen('http') : undefined,
    metrics: flags.flag('allow-metrics') ? metricsOptions(flags, metrics) : undefined,
    log: logOptions(flags),
    allowClientSharedMemory: flags.flag('allow-client-shm'),
    tracing: traces.tracing,
    warnings: [...backend.warnings, ...metrics.warnings, ...traces.warnings],
  });
}

// ---- details below; callers need not read ----

class Flags {
  readonly #values: FlagValues;

  constructor(values: FlagValues) {
    this.#values = values;
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  text(name: string): string {
    return this.all(name).at(-1) ?? '';
  }

  integer(name: string): number {
    return Number(this.text(name));
  }

  flag(name: string): boolean {
    return this.text(name) === 'true';
  }

  listen(name: string): ListenOptions {
    return { address: this.text(`${name}-address`), port: this.integer(`${name}-port`) };
  }
}

/** Something must be served, unless the server is embedded, and by one front end to a port. */
function checkPorts(flags: Flags, isEmbedded: boolean): void {
  const served = ['grpc', 'http', 'metrics'].filter((name) => flags.flag(`allow-${name}`));
  if (served.length === 0 && !isEmbedded)
    throw new InvalidOption(
      'there is nothing to serve: --allow-grpc, --allow-http and --allow-metrics are all false',
    );
  for (const [i, name] of served.entries()) {
    const port = flags.integer(`${name}-port`);
    const other = served.slice(0, i).find((before) => flags.integer(`${before}-port`) === port);
    if (port !== 0 && other !== undefined)
      throw new InvalidOption(`--${other}-port and --${name}-port are both ${port}`);
  }
}

function modelsToLoad(names: readonly string[], mode: ModelControlMode): 'all' | readonly string[] {
  if (mode === 'explicit') return names.includes('*') ? 'all' : names;
  if (names.length > 0)
    throw new InvalidOption(
      '--load-model needs --model-control-mode=explicit; without it every model is loaded',
    );
  return 'all';
}

function repositoriesOf(flags: Flags): string[] {
  const repositories = [...flags.all('model-repository'), ...flags.all('model-store')];
  if (repositories.length > 0) return repositories;
  const text = '--model-repository is needed: the directory that holds the model directories';
  throw new InvalidOption(text);
}

function byteSize(flags: Flags, name: string): number | undefined {
  const text = flags.text(name);
  if (text === '') return undefined;
  const bytes = parseByteSize(text);
  if (bytes === undefined || bytes === 0)
    throw new InvalidOption(`--${name} takes a size such as 512M or 4G, got '${text}'`);
  return bytes;
}

function cacheConfig(
  flags: Flags,
  environment: Readonly<Record<string, string | undefined>>,
): CacheConfig | undefined {
  const settings = flags.all('cache-config');
  return readCacheConfig(
    { settings, byteSize: flags.text('response-cache-byte-size') },
    environment,
  );
}

/** Read also where they do nothing, so that what is wrong with them is told. */
function resourceLimits(flags: Flags): readonly ResourceLimit[] | undefined {
  const limits = readResourceLimits(flags.all('rate-limit-resource'));
  return flags.text('rate-limit') === 'execution_count' ? limits : undefined;
}

function metricsOptions(
  flags: Flags,
  { counterLatencies, summaryQuantiles }: MetricsConfig,
): MetricsOptions {
  const { port } = flags.listen('metrics');
  const address = flags.text('metrics-address') || flags.text('http-address');
  return {
    address,
    port,
    cpu: flags.flag('allow-cpu-metrics'),
    counterLatencies,
    summaryQuantiles,
  };
}

function grpcOptions(flags: Flags): GrpcOptions {
  return {
    ...flags.listen('grpc'),
    ...tlsOptions(flags),
    restrictions: restrictions(flags.all('grpc-restricted-protocol')),
    keepaliveTimeMs: flags.integer('grpc-keepalive-time'),
    keepaliveTimeoutMs: flags.integer('grpc-keepalive-timeout'),
    keepalivePermitWithoutCalls: flags.flag('grpc-keepalive-permit-without-calls'),
    maxConnectionAgeMs: flags.integer('grpc-max-connection-age'),
    maxConnectionAgeGraceMs: flags.integer('grpc-max-connection-age-grace'),
    maxConcurrentStreams: flags.integer('grpc-max-concurrent-streams'),
  };
}

function tlsOptions(flags: Flags): Pick<GrpcOptions, 'tls'> {
  const mutual = flags.flag('grpc-use-ssl-mutual');
  if (!mutual && !flags.flag('grpc-use-ssl')) return {};
  const read = (name: string): Buffer => {
    const path = flags.text(name);
    if (path === '') throw new InvalidOption(`--${name} is needed for TLS`);
    try {
      return readFileSync(path);
    } catch (error) {
      throw new InvalidOption(
        `--${name}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  const pair = { certificate: read('grpc-server-cert'), key: read('grpc-server-key') };
  return { tls: mutual ? { ...pair, rootCertificate: read('grpc-root-cert') } : pair };
}

function restrictions(texts: readonly string[]): GrpcRestriction[] {
  const all = texts.map(restriction);
  const categories = all.flatMap((one) => one.categories);
  const twice = categories.find((name, index) => categories.indexOf(name) !== index);
  if (twice === undefined) return all;
  throw new InvalidOption(`--grpc-restricted-protocol names the category '${twice}' twice`);
}

function restriction(text: string): GrpcRestriction {
  const match = /^([^:]+):([^=]+)=(.*)$/.exec(text);
  if (!match)
    throw new InvalidOption(`--grpc-restricted-protocol takes CATEGORIES:KEY=VALUE, got '${text}'`);
  return { categories: match[1]!.split(',').map(category), key: match[2]!, value: match[3]! };
}

function category(name: string): ProtocolCategory {
  const found = PROTOCOL_CATEGORIES.find((known) => known === name);
  if (found) return found;
  throw new InvalidOption(
    `--grpc-restricted-protocol: there is no category '${name}'; one of ${PROTOCOL_CATEGORIES.join(', ')}`,
  );
}

function logOptions(flags: Flags): LogOptions {
  return {
    verboseLevel: flags.integer('log-verbose'),
    info: flags.flag('log-info'),
    warning: flags.flag('log-warning'),
    error: flags.flag('log-error'),
    format: flags.text('log-format') as LogOptions['format'],
    file: flags.text('log-file'),
    everyRequests: flags.integer('log-requests'),
  };
}
