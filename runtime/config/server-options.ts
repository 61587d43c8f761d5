// What the server is told from outside: flags and environment -> values, checked, with units in their names, frozen.

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { PROTOCOL_CATEGORIES, type ProtocolCategory } from '../core/protocol-category.js';
import { readBackendConfig } from './backend-config.js';
import { InvalidOption } from './invalid-option.js';

export type ModelControlMode = 'none' | 'poll' | 'explicit';

export interface ServerOptions {
  readonly id: string;
  readonly modelRepositories: readonly string[];
  readonly modelControlMode: ModelControlMode;
  /** Names, or 'all'. */
  readonly loadModels: 'all' | readonly string[];
  readonly modelLoadThreads: number;
  readonly autoComplete: boolean;
  readonly defaultMaxBatchSize: number;
  readonly strictReadiness: boolean;
  readonly exitOnError: boolean;
  readonly exitTimeoutMs: number;
  readonly executorThreads: number;
  readonly grpc: GrpcOptions | undefined;
  readonly http: ListenOptions | undefined;
  readonly metrics: ListenOptions | undefined;
  readonly log: LogOptions;
  readonly allowClientSharedMemory: boolean;
  /** Sentences on values that do nothing. */
  readonly warnings: readonly string[];
}

export interface ListenOptions {
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
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
}

export interface GrpcRestriction {
  readonly categories: readonly ProtocolCategory[];
  readonly key: string;
  readonly value: string;
}

export interface LogOptions {
  readonly verboseLevel: number;
  readonly info: boolean;
  readonly warning: boolean;
  readonly error: boolean;
  readonly format: 'default' | 'ISO8601' | 'json';
  /** '': stderr. */
  readonly file: string;
}

/** Values by flag name, as text; a flag that may be repeated has all of them. Checked for kind, defaults filled in. */
export type FlagValues = ReadonlyMap<string, readonly string[]>;

/** @throws InvalidOption */
export function serverOptionsFrom(values: FlagValues): ServerOptions {
  const flags = new Flags(values);
  const repositories = [...flags.all('model-repository'), ...flags.all('model-store')];
  if (repositories.length === 0)
    throw new InvalidOption(
      '--model-repository is needed: the directory that holds the model directories',
    );
  const mode = flags.text('model-control-mode') as ModelControlMode;
  if (mode === 'poll')
    throw new InvalidOption(
      '--model-control-mode=poll is not supported by this version of inferd; use none or explicit',
    );
  const backend = readBackendConfig(flags.all('backend-config'));
  return Object.freeze({
    id: flags.text('id'),
    modelRepositories: repositories,
    modelControlMode: mode,
    loadModels: modelsToLoad(flags.all('load-model'), mode),
    modelLoadThreads: Math.max(flags.integer('model-load-thread-count'), 1),
    autoComplete: !flags.flag('disable-auto-complete-config') && !flags.flag('strict-model-config'),
    defaultMaxBatchSize: backend.defaultMaxBatchSize,
    strictReadiness: flags.flag('strict-readiness'),
    exitOnError: flags.flag('exit-on-error'),
    exitTimeoutMs: flags.integer('exit-timeout-secs') * 1000,
    executorThreads: flags.integer('executor-threads') || Math.max(8, 2 * availableParallelism()),
    grpc: flags.flag('allow-grpc') ? grpcOptions(flags) : undefined,
    http: flags.flag('allow-http') ? flags.listen('http') : undefined,
    metrics: flags.flag('allow-metrics') ? metricsOptions(flags) : undefined,
    log: logOptions(flags),
    allowClientSharedMemory: flags.flag('allow-client-shm'),
    warnings: backend.warnings,
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

function modelsToLoad(names: readonly string[], mode: ModelControlMode): 'all' | readonly string[] {
  if (mode === 'explicit') return names.includes('*') ? 'all' : names;
  if (names.length > 0)
    throw new InvalidOption(
      '--load-model needs --model-control-mode=explicit; without it every model is loaded',
    );
  return 'all';
}

function metricsOptions(flags: Flags): ListenOptions {
  const { port } = flags.listen('metrics');
  return { address: flags.text('metrics-address') || flags.text('http-address'), port };
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
  };
}
