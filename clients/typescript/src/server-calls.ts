// The calls about servers and models: health, metadata, configuration, statistics, the repository.

import type { Caller, CallOptions } from './caller.js';
import type { ClientSettings } from './client-options.js';
import { decode, encode, type Message } from './messages.js';
import { parameterMessages, type Parameters } from './parameter.js';
import type { CircuitBreaker, ModelPipeline } from './pipeline-info.js';
import type {
  ExplainedModelConfig,
  HealthStatus,
  IndexedModel,
  ModelConfig,
  ModelMetadata,
  ModelStatistics,
  ServerMetadata,
} from './server-info.js';

export interface ModelCallOptions extends CallOptions {
  /** Without one, the latest that is ready. */
  readonly version?: number | string;
}

export interface LoadOptions extends CallOptions {
  /** The whole configuration as JSON, in place of the model's own. */
  readonly config?: string | object;
  /** Contents of the model's files by their path in its directory, such as '1/model.onnx'; together with `config`. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  readonly parameters?: Parameters;
}

export interface UnloadOptions extends CallOptions {
  /** Also the models an ensemble is made of. [false] */
  readonly unloadDependents?: boolean;
}

const INFERENCE = 'inference.GRPCInferenceService';
const CONTROL = 'inferd.v1';
const HEALTH = 'grpc.health.v1';

export class ServerCalls {
  readonly #caller: Caller;
  readonly #settings: Pick<ClientSettings, 'deadlineMs' | 'metadata'>;

  protected constructor(caller: Caller, settings: Pick<ClientSettings, 'deadlineMs' | 'metadata'>) {
    this.#caller = caller;
    this.#settings = settings;
  }

  async isServerLive(options: CallOptions = {}): Promise<boolean> {
    return (await this.#ask<{ live: boolean }>('ServerLive', {}, options)).live;
  }

  /** Whether the server takes requests: all its models are loaded and it is not stopping. */
  async isServerReady(options: CallOptions = {}): Promise<boolean> {
    return (await this.#ask<{ ready: boolean }>('ServerReady', {}, options)).ready;
  }

  async isModelReady(model: string, options: ModelCallOptions = {}): Promise<boolean> {
    const request = modelRequest(model, options);
    return (await this.#ask<{ ready: boolean }>('ModelReady', request, options)).ready;
  }

  serverMetadata(options: CallOptions = {}): Promise<ServerMetadata> {
    return this.#ask('ServerMetadata', {}, options);
  }

  modelMetadata(model: string, options: ModelCallOptions = {}): Promise<ModelMetadata> {
    return this.#ask('ModelMetadata', modelRequest(model, options), options);
  }

  async modelConfig(model: string, options: ModelCallOptions = {}): Promise<ModelConfig> {
    const request = modelRequest(model, options);
    return (await this.#ask<{ config: ModelConfig }>('ModelConfig', request, options)).config;
  }

  /** The configuration, and where each of its values comes from. */
  explainModelConfig(model: string, options: ModelCallOptions = {}): Promise<ExplainedModelConfig> {
    return this.#ask('ModelConfig', { ...modelRequest(model, options), explain: true }, options);
  }

  /** Of one server, which counts its own requests only: name an `address` where there are several. '': all models. */
  async modelStatistics(
    model = '',
    options: ModelCallOptions = {},
  ): Promise<readonly ModelStatistics[]> {
    type Response = { modelStats: ModelStatistics[] };
    const request = modelRequest(model, options);
    return (await this.#ask<Response>('ModelStatistics', request, options)).modelStats;
  }

  /**
   * How models are put together of others, with what has become of the requests of each part. Of one server, which counts its own
   * requests only; only inferd tells it. '': all models that ask others or have a policy around them.
   */
  async pipelines(model = '', options: ModelCallOptions = {}): Promise<readonly ModelPipeline[]> {
    const request = { modelName: model, modelVersion: String(options.version ?? '') };
    type Response = { pipelines: ModelPipeline[] };
    return (await this.#askControl<Response>('Pipelines', request, options)).pipelines;
  }

  /** The circuit breakers of one server, which must be inferd. '': of all models. */
  async circuitBreakers(model = '', options: CallOptions = {}): Promise<readonly CircuitBreaker[]> {
    type Response = { circuitBreakers: CircuitBreaker[] };
    const request = { modelName: model };
    return (await this.#askControl<Response>('CircuitBreakers', request, options)).circuitBreakers;
  }

  /** The models of one server. `ready`: only those that are ready. */
  async repositoryIndex(
    options: CallOptions & { readonly ready?: boolean } = {},
  ): Promise<readonly IndexedModel[]> {
    const request = { ready: options.ready ?? false };
    return (await this.#ask<{ models: IndexedModel[] }>('RepositoryIndex', request, options))
      .models;
  }

  /** On every server of the client, or on the `address` named. No deadline, unless one is given. */
  loadModel(model: string, options: LoadOptions = {}): Promise<void> {
    const { config, files = {}, parameters = {} } = options;
    const json = typeof config === 'object' ? JSON.stringify(config) : config;
    const contents = Object.entries(files).map(([path, bytes]) => [`file:${path}`, bytes] as const);
    const all = { ...parameters, ...(json !== undefined && { config: json }) };
    return this.#tellAll(
      'RepositoryModelLoad',
      {
        modelName: model,
        parameters: parameterMessages({ ...all, ...Object.fromEntries(contents) }),
      },
      options,
    );
  }

  /** As `loadModel`. Resolves when requests are refused; those under way still end. */
  unloadModel(model: string, options: UnloadOptions = {}): Promise<void> {
    const { unloadDependents = false } = options;
    const parameters = parameterMessages({ unload_dependents: unloadDependents });
    return this.#tellAll('RepositoryModelUnload', { modelName: model, parameters }, options);
  }

  /** grpc.health.v1: of the server, or of a model. */
  async health(model = '', options: CallOptions = {}): Promise<HealthStatus> {
    const { bytes } = await this.#caller.call({
      path: `/${HEALTH}.Health/Check`,
      request: encode(`${HEALTH}.HealthCheckRequest`, { service: model }),
      options,
      mayRepeat: true,
    });
    return healthStatus(bytes);
  }

  /** The status now and after every change, of one server; until the reader stops, the signal aborts or the server ends. */
  async *watchHealth(
    model = '',
    options: CallOptions = {},
  ): AsyncGenerator<HealthStatus, void, undefined> {
    const { deadlineMs, signal = new AbortController().signal } = options;
    const connection = await this.#caller.connection(options, this.#settings.deadlineMs);
    const call = {
      path: `/${HEALTH}.Health/Watch`,
      metadata: { ...this.#settings.metadata, ...options.metadata },
      timeoutMs: deadlineMs === Infinity ? undefined : deadlineMs,
    };
    const request = encode(`${HEALTH}.HealthCheckRequest`, { service: model });
    for await (const bytes of connection.serverStream(call, request, signal))
      yield healthStatus(bytes);
  }

  #ask<Response>(method: string, request: Message, options: CallOptions): Promise<Response> {
    const names = { path: `/${INFERENCE}/${method}`, types: `inference.${method}` };
    return this.#askFor(names, request, options);
  }

  #askControl<Response>(method: string, request: Message, options: CallOptions): Promise<Response> {
    const names = { path: `/${CONTROL}.Control/${method}`, types: `${CONTROL}.${method}` };
    return this.#askFor(names, request, options);
  }

  async #askFor<Response>(
    { path, types }: { readonly path: string; readonly types: string },
    request: Message,
    options: CallOptions,
  ): Promise<Response> {
    const encoded = encode(`${types}Request`, request);
    const { bytes } = await this.#caller.call({ path, request: encoded, options, mayRepeat: true });
    return decode(`${types}Response`, bytes) as Response;
  }

  /** Once each. Comes back when all have answered. @throws InferdError the first of the failures */
  async #tellAll(method: string, request: Message, options: CallOptions): Promise<void> {
    const bytes = encode(`inference.${method}Request`, request);
    const addresses = await this.#caller.addresses(options);
    const calls = addresses.map((address) =>
      this.#caller.call({
        path: `/${INFERENCE}/${method}`,
        request: bytes,
        options: { ...options, deadlineMs: options.deadlineMs ?? Infinity, address },
        mayRepeat: false,
      }),
    );
    const failed = (await Promise.allSettled(calls)).find(({ status }) => status === 'rejected');
    if (failed) throw (failed as PromiseRejectedResult).reason;
  }
}

function modelRequest(name: string, { version = '' }: ModelCallOptions): Message {
  return { name, version: String(version) };
}

function healthStatus(bytes: Buffer): HealthStatus {
  return (decode(`${HEALTH}.HealthCheckResponse`, bytes) as { status: HealthStatus }).status;
}
