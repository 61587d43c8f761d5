// A remote model's configuration: where it lives and under which name, from the parameters of config.pbtxt. Its tensors are declared
// there as those of any model, or asked for.

import type { ConfigProblem } from './config-problem.js';
import type { ModelConfigMessage } from './model-config-message.js';

export const REMOTE_BACKEND = 'remote';

/** Of endpoints that fail over and over. */
export interface EjectionConfig {
  /** One failure after the other; Infinity: never ejected. */
  readonly failures: number;
  /** Of the first ejection; every further one takes as much longer, up to the longest. */
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Files in the model's directory. */
export interface RemoteTlsConfig {
  /** '': whom Node trusts. */
  readonly ca: string;
  /** Both or none: what this server shows of itself. */
  readonly certificate: string;
  readonly key: string;
  /** The name in the endpoints' certificates, where it is not the one that is connected to. */
  readonly serverName: string;
}

/** A server, or the servers that a name has in DNS. */
export interface EndpointConfig {
  /** "host:port". */
  readonly address: string;
  /** dns:///: as many endpoints as the name has addresses, which change. */
  readonly isName: boolean;
}

export interface RemoteConfig {
  readonly endpoints: readonly EndpointConfig[];
  readonly modelName: string;
  /** '': the latest. */
  readonly modelVersion: string;
  readonly tls: RemoteTlsConfig | undefined;
  readonly ejection: EjectionConfig;
  /** Endpoints are asked for their health (grpc.health.v1) all the time. */
  readonly healthCheck: boolean;
}

export interface RemoteConfigReading {
  readonly config: RemoteConfig;
  readonly problems: readonly ConfigProblem[];
}

export function isRemote({ backend }: ModelConfigMessage): boolean {
  return backend === REMOTE_BACKEND;
}

/** Nothing has to be asked before such a model is served. */
export function declaresTensors({ input, output }: ModelConfigMessage): boolean {
  return Boolean(input?.length && output?.length);
}

/** `problems`: everything that is wrong with it as a remote model's. */
export function readRemoteConfig(message: ModelConfigMessage): RemoteConfigReading {
  const parameters = new RemoteParameters(message);
  const config: RemoteConfig = {
    endpoints: parameters.endpoints(),
    modelName: parameters.text('model') || (message.name ?? ''),
    modelVersion: parameters.version(),
    tls: parameters.tls(),
    ejection: {
      failures: parameters.count('eject_after_failures', DEFAULTS.failures) || Infinity,
      baseMs: parameters.count('ejection_ms', DEFAULTS.baseMs),
      maxMs: parameters.count('max_ejection_ms', DEFAULTS.maxMs),
    },
    healthCheck: parameters.flag('health_check'),
  };
  return { config, problems: [...parameters.problems, ...foreignSettings(message)] };
}

/** Names of parameters that nothing reads: what was meant as `tls` must not be overlooked. */
export function unknownParameters(message: ModelConfigMessage): string[] {
  if (!isRemote(message)) return [];
  return Object.keys(message.parameters ?? {}).filter((key) => !PARAMETERS.has(key));
}

// ---- details below; callers need not read ----

const PARAMETERS: ReadonlySet<string> = new Set([
  ...['endpoints', 'model', 'version', 'health_check'],
  ...['tls', 'tls_ca', 'tls_cert', 'tls_key', 'tls_server_name'],
  ...['eject_after_failures', 'ejection_ms', 'max_ejection_ms'],
]);

const DEFAULTS = { failures: 5, baseMs: 10_000, maxMs: 300_000 } satisfies EjectionConfig;

const TLS_FILES = ['tls_ca', 'tls_cert', 'tls_key'] as const;

/** Absolute, or with a step up. A load call can bring a configuration, and must not make the server read, or show, other files. */
const LEAVES_DIRECTORY = /^\/|(?:^|\/)\.\.(?:\/|$)|\0/;

class RemoteParameters {
  readonly problems: ConfigProblem[] = [];
  readonly #values: Readonly<Record<string, { string_value?: string }>>;

  constructor({ parameters = {} }: ModelConfigMessage) {
    this.#values = parameters;
  }

  text(key: string): string {
    return (this.#values[key]?.string_value ?? '').trim();
  }

  flag(key: string): boolean {
    const text = this.text(key);
    if (!['', 'true', 'false'].includes(text))
      this.#wrong(key, `${key} must be 'true' or 'false', got '${text}'`);
    return text === 'true';
  }

  count(key: string, otherwise: number): number {
    const text = this.text(key);
    if (text === '') return otherwise;
    if (/^\d{1,9}$/.test(text)) return Number(text);
    this.#wrong(key, `${key} must be a whole number from 0 on, got '${text}'`);
    return otherwise;
  }

  version(): string {
    const text = this.text('version');
    if (text !== '' && !/^[1-9]\d{0,14}$/.test(text))
      this.#wrong('version', `version must be a positive whole number, got '${text}'`);
    return text;
  }

  endpoints(): EndpointConfig[] {
    const texts = this.text('endpoints').split(',');
    const found = texts.map((text) => text.trim()).filter((text) => text !== '');
    if (found.length === 0)
      this.#wrong(
        'endpoints',
        "a remote model must name its endpoints, such as 'host:8001,other:8001'",
      );
    const endpoints = found.map((text) => this.#endpoint(text));
    const twice = found.find((text, index) => found.indexOf(text) !== index);
    if (twice !== undefined) this.#wrong('endpoints', `endpoint '${twice}' is named twice`);
    return endpoints;
  }

  tls(): RemoteTlsConfig | undefined {
    const isOn = this.flag('tls');
    const named = TLS_FILES.filter((key) => this.text(key) !== '');
    for (const key of named) this.#checkFile(key);
    if (this.text('tls') === 'false') {
      for (const key of named) this.#wrong(key, `${key} has no use with tls 'false'`);
      return undefined;
    }
    if (!isOn && named.length === 0) {
      if (this.text('tls_server_name') !== '')
        this.#wrong('tls_server_name', "tls_server_name needs tls 'true' or tls_ca");
      return undefined;
    }
    this.#checkPair('tls_cert', 'tls_key');
    this.#checkPair('tls_key', 'tls_cert');
    return {
      ca: this.text('tls_ca'),
      certificate: this.text('tls_cert'),
      key: this.text('tls_key'),
      serverName: this.text('tls_server_name'),
    };
  }

  #checkPair(key: string, other: string): void {
    if (this.text(key) !== '' && this.text(other) === '') this.#wrong(key, `${key} needs ${other}`);
  }

  #endpoint(text: string): EndpointConfig {
    const address = text.replace(/^dns:\/\/\//, '');
    const port = Number(/^(?:[^\s/:[\]]+|\[[\da-fA-F:.%\w]+\]):(\d{1,5})$/.exec(address)?.[1]);
    if (!(port > 0 && port < 65_536))
      this.#wrong(
        'endpoints',
        `endpoint '${text}' is neither host:port, such as 'localhost:8001', nor dns:///name:port`,
      );
    return { address, isName: address !== text };
  }

  #checkFile(key: string): void {
    const name = this.text(key);
    if (!LEAVES_DIRECTORY.test(name)) return;
    this.#wrong(key, `${key} must name a file inside the directory of the model, got '${name}'`);
  }

  #wrong(key: string, message: string): void {
    this.problems.push({ path: `parameters["${key}"].string_value`, message });
  }
}

interface ForeignSetting {
  readonly path: string;
  readonly why: string;
  readonly isSet: (message: ModelConfigMessage) => boolean;
}

const NO_QUEUE = 'it has no queue of its own, its endpoints have';

const FOREIGN: readonly ForeignSetting[] = [
  {
    path: 'dynamic_batching',
    why: NO_QUEUE,
    isSet: ({ dynamic_batching: batching }) => batching !== undefined,
  },
  {
    path: 'sequence_batching',
    why: NO_QUEUE,
    isSet: ({ sequence_batching: batching }) => batching !== undefined,
  },
  {
    path: 'instance_group',
    why: 'it has no instances',
    isSet: ({ instance_group: groups }) => Boolean(groups?.length),
  },
  {
    path: 'model_warmup',
    why: 'it has no instances',
    isSet: ({ model_warmup: samples }) => Boolean(samples?.length),
  },
  {
    path: 'response_cache',
    why: 'it may change and nobody would tell',
    isSet: ({ response_cache: cache }) => cache?.enable === true,
  },
];

function foreignSettings(message: ModelConfigMessage): ConfigProblem[] {
  const name = message.name ?? '';
  const tensors = [
    ...(message.input ?? []).map(({ reshape }, i) => [`input[${i}]`, reshape] as const),
    ...(message.output ?? []).map(({ reshape }, i) => [`output[${i}]`, reshape] as const),
  ];
  return [
    ...FOREIGN.filter(({ isSet }) => isSet(message)).map(({ path, why }) => ({
      path,
      message: `${path} is not for remote model '${name}': ${why}`,
    })),
    ...tensors.flatMap(([path, reshape]) =>
      reshape === undefined
        ? []
        : [{ path: `${path}.reshape`, message: `reshape belongs to the endpoints of '${name}'` }],
    ),
  ];
}
