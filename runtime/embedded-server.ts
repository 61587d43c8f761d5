// A server as part of another program: started from an object of options, asked by calling it. It has the methods of inferd-client's
// InferdClient, so that a program that moves from a server to one of its own changes how it gets it and nothing else. It leaves to the
// program what is the program's: signals, exit codes, arguments, environment, standard output.

import type {
  IndexedModel,
  InferResult,
  InferdClient,
  Inputs,
  LoadOptions,
  ModelConfig,
  ModelMetadata,
  ModelStatistics,
  ServerMetadata,
} from 'inferd-client';
import { parameterMessages } from 'inferd-client/wire';
import type { EmbeddingOptions } from './config/embedding-options.js';
import { inOptionNames, readEmbeddingOptions } from './config/read-embedding-options.js';
import { RuntimeError } from './core/errors.js';
import { KeepAlive } from './core/keep-alive.js';
import type { InferOptions, Signatures } from './frontend/infer-options.js';
import { InProcessFrontEnd } from './frontend/in-process-front-end.js';
import { HostLog } from './observability/host-log.js';
import { StartFailed, createServer as startServer, type Server } from './server.js';

export interface VersionOptions {
  /** Without one, the latest that is ready. */
  readonly version?: number | string;
}

/** Those of InferdClient that make sense without a network. */
type ClientMethods =
  | 'infer'
  | 'isServerLive'
  | 'isServerReady'
  | 'isModelReady'
  | 'serverMetadata'
  | 'modelMetadata'
  | 'modelConfig'
  | 'modelStatistics'
  | 'repositoryIndex'
  | 'loadModel'
  | 'unloadModel';

/**
 * Resolves when every model has been tried and every port that is asked for is open.
 * @throws RuntimeError INVALID_ARGUMENT for wrong options, MODEL_NOT_READY for models that cannot be loaded, INTERNAL for a port
 * that cannot be had
 */
export async function createServer(options: EmbeddingOptions): Promise<EmbeddedServer> {
  const keepAlive = new KeepAlive();
  try {
    return await keepAlive.during(start(options, keepAlive));
  } catch (error) {
    keepAlive.end();
    throw error;
  }
}

/** Methods fail with RuntimeError. */
export class EmbeddedServer implements Pick<InferdClient, ClientMethods> {
  /** Of the front ends that were asked for. */
  readonly ports: { readonly grpc?: number; readonly http?: number; readonly metrics?: number };
  readonly #inProcess: InProcessFrontEnd;
  readonly #server: Server;
  readonly #keepAlive: KeepAlive;

  /** @internal */
  constructor(server: Server, inProcess: InProcessFrontEnd, keepAlive: KeepAlive) {
    this.ports = server.ports;
    this.#server = server;
    this.#inProcess = inProcess;
    this.#keepAlive = keepAlive;
  }

  /**
   * Runs a model on the inputs, by their names. They must not change before the promise has settled; the outputs are the caller's own.
   * A model that is decoupled is asked by `inferStream`.
   */
  infer(
    model: string,
    inputs: Inputs,
    options: InferOptions & Signatures = {},
  ): Promise<InferResult> {
    return this.#inProcess.infer({ model, inputs, options });
  }

  /** Every answer of the model, as it comes; the request is sent when the first is wanted, and cancelled when no more are read. */
  inferStream(
    model: string,
    inputs: Inputs,
    options: InferOptions & Signatures = {},
  ): AsyncGenerator<InferResult, void, undefined> {
    return this.#inProcess.inferStream({ model, inputs, options });
  }

  /** Until it is closed. */
  isServerLive(): Promise<boolean> {
    return Promise.resolve(!this.#inProcess.isClosed);
  }

  /** Whether its models are loaded and it is not stopping. */
  isServerReady(): Promise<boolean> {
    return Promise.resolve(this.#server.innerDoor.lifecycle.isReady());
  }

  async isModelReady(model: string, options: VersionOptions = {}): Promise<boolean> {
    const request = modelRequest(model, options);
    return (await this.#inProcess.ask<{ ready: boolean }>('ModelReady', request)).ready;
  }

  serverMetadata(): Promise<ServerMetadata> {
    return this.#inProcess.ask('ServerMetadata', () => ({}));
  }

  modelMetadata(model: string, options: VersionOptions = {}): Promise<ModelMetadata> {
    return this.#inProcess.ask('ModelMetadata', modelRequest(model, options));
  }

  async modelConfig(model: string, options: VersionOptions = {}): Promise<ModelConfig> {
    const request = modelRequest(model, options);
    return (await this.#inProcess.ask<{ config: ModelConfig }>('ModelConfig', request)).config;
  }

  /** '': of all models. */
  async modelStatistics(
    model = '',
    options: VersionOptions = {},
  ): Promise<readonly ModelStatistics[]> {
    type Response = { modelStats: ModelStatistics[] };
    const request = modelRequest(model, options);
    return (await this.#inProcess.ask<Response>('ModelStatistics', request)).modelStats;
  }

  /** What is in the repositories. `ready`: only models that are ready. */
  async repositoryIndex(
    options: { readonly ready?: boolean } = {},
  ): Promise<readonly IndexedModel[]> {
    const request = { ready: options.ready ?? false };
    type Response = { models: IndexedModel[] };
    return (await this.#inProcess.ask<Response>('RepositoryIndex', () => request)).models;
  }

  /** Loads a model, or loads it anew. Resolves when it serves. */
  async loadModel(
    model: string,
    { config, files = {}, parameters = {} }: Omit<LoadOptions, 'deadlineMs' | 'signal'> = {},
  ): Promise<void> {
    const json = typeof config === 'object' ? JSON.stringify(config) : config;
    const contents = Object.entries(files).map(([path, bytes]) => [`file:${path}`, bytes] as const);
    const all = { ...parameters, ...(json !== undefined && { config: json }) };
    await this.#inProcess.ask('RepositoryModelLoad', () => ({
      modelName: model,
      parameters: parameterMessages({ ...all, ...Object.fromEntries(contents) }),
    }));
  }

  /** Resolves when requests are refused; those under way still end. */
  async unloadModel(
    model: string,
    { unloadDependents = false }: { readonly unloadDependents?: boolean } = {},
  ): Promise<void> {
    await this.#inProcess.ask('RepositoryModelUnload', () => ({
      modelName: model,
      parameters: parameterMessages({ unload_dependents: unloadDependents }),
    }));
  }

  /** Refuses new requests, lets those under way finish for as long as the options say, and frees everything. Safe to call again. */
  async close(): Promise<void> {
    await this.#keepAlive.during(this.#server.close());
    this.#keepAlive.end();
  }
}

// ---- details below; callers need not read ----

async function start(given: EmbeddingOptions, keepAlive: KeepAlive): Promise<EmbeddedServer> {
  let server;
  let options;
  let log: HostLog;
  try {
    options = readEmbeddingOptions(given);
    log = new HostLog(given.log, options.log);
    for (const warning of options.warnings) log.warn({}, inOptionNames(warning));
  } catch (error) {
    throw new RuntimeError('INVALID_ARGUMENT', RuntimeError.from(error).message, { cause: error });
  }
  try {
    server = await startServer(options, log);
  } catch (error) {
    throw startError(error);
  }
  const { inference, methods, lifecycle } = server.innerDoor;
  const inProcess = new InProcessFrontEnd(inference, methods, keepAlive);
  const { exitTimeoutMs } = options;
  lifecycle.onStop('requests of this process', async () => {
    if (await inProcess.stop(exitTimeoutMs)) return;
    const text = `requests were still under way after ${exitTimeoutMs / 1000} s and are cut off`;
    log.warn({}, text);
  });
  return new EmbeddedServer(server, inProcess, keepAlive);
}

function startError(error: unknown): RuntimeError {
  const message = inOptionNames(RuntimeError.from(error).message);
  if (!(error instanceof StartFailed))
    return new RuntimeError('INTERNAL', message, { cause: error });
  const problems = [...error.problems].map(([model, texts]) => `\n  ${model}: ${texts.join('; ')}`);
  return new RuntimeError('MODEL_NOT_READY', message + problems.join(''), { cause: error });
}

function modelRequest(name: string, { version = '' }: VersionOptions): () => object {
  return () => ({ name, version: String(version) });
}
