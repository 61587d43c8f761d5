// One server from its options: what is started, in which order, and how it ends. Everything started is stopped, in reverse.

import { modelAssembler } from './assemble-model.js';
import type { ServerOptions } from './config/server-options.js';
import { systemClock, type Clock } from './core/clock.js';
import { endsWithin } from './core/ends-within.js';
import { RuntimeError } from './core/errors.js';
import type { Log } from './core/log.js';
import type { ModelIndexEntry } from './core/model-control.js';
import type { RequestObserver } from './core/request-observer.js';
import { TimerWheel } from './core/timer-wheel.js';
import { healthHttp, listen, metricsHttp } from './frontend/admin-http.js';
import { grpcStatusOf } from './frontend/grpc-status.js';
import { GrpcJsTransport } from './frontend/grpc-js-transport.js';
import type { GrpcMethod } from './frontend/grpc-transport.js';
import { healthMethods } from './frontend/health-service.js';
import { modelInferMethod } from './frontend/model-infer.js';
import { reflectionMethods } from './frontend/reflection-service.js';
import { repositoryMethods } from './frontend/repository-service.js';
import { restrictMethods } from './frontend/restricted-methods.js';
import type { ServerHealth } from './frontend/server-health.js';
import { serverMethods } from './frontend/server-service.js';
import { settingsMethods } from './frontend/settings-service.js';
import { unsupportedMethods } from './frontend/unsupported-methods.js';
import { ExecutorThreads } from './instance/executor-threads.js';
import { hasCudaGpu } from './instance/gpu-detection.js';
import { LoadReport } from './observability/load-report.js';
import { createMetrics } from './observability/metrics.js';
import { startRequestObservers } from './observability/request-observers.js';
import { ModelLoader } from './repository/model-loader.js';
import { ModelManager } from './repository/model-manager.js';
import { ModelRegistry } from './repository/model-registry.js';

export const VERSION = '0.1.0';

/** How long the end of the server waits for a collector of traces. */
const LAST_SPANS_MS = 2_000;

/** What Triton's clients ask for; the parts that are still to come are named in docs/differences.md. */
const EXTENSIONS = [
  'classification',
  'sequence',
  'model_repository',
  'model_repository(unload_dependents)',
  'schedule_policy',
  'model_configuration',
  'system_shared_memory',
  'binary_tensor_data',
  'parameters',
  'statistics',
  'logging',
];

export interface Server {
  /** Ports in use; undefined for what is not served. */
  readonly ports: { readonly grpc?: number; readonly http?: number; readonly metrics?: number };
  /** What a person wants to see of the models after the start. */
  readonly models: readonly ModelIndexEntry[];
  /** Everything that is wrong, by model. */
  readonly problems: ReadonlyMap<string, readonly string[]>;
  /** Refuses new requests, lets those under way finish for as long as the options say, and frees everything. */
  close(): Promise<void>;
}

/** Models that were to be served could not be loaded, and the options say that this ends the server. */
export class StartFailed extends Error {
  readonly models: readonly ModelIndexEntry[];
  readonly problems: ReadonlyMap<string, readonly string[]>;

  constructor(
    message: string,
    report: {
      models: readonly ModelIndexEntry[];
      problems: ReadonlyMap<string, readonly string[]>;
    },
  ) {
    super(message);
    this.models = report.models;
    this.problems = report.problems;
  }
}

/** Resolves when every model has been tried and every port is open. @throws StartFailed, or what the system says of a port */
export async function createServer(options: ServerOptions, log: Log): Promise<Server> {
  const building = new ServerBuilder(options, log);
  try {
    return await building.start();
  } catch (error) {
    await building.stop();
    throw error;
  }
}

// ---- details below; callers need not read ----

interface Stop {
  readonly name: string;
  readonly stop: () => Promise<void>;
}

class ServerBuilder implements ServerHealth {
  readonly #options: ServerOptions;
  readonly #log: Log;
  readonly #clock: Clock = systemClock;
  readonly #stops: Stop[] = [];
  readonly #report: LoadReport;
  readonly #registry: ModelRegistry;
  readonly #manager: ModelManager;
  readonly #ports: { grpc?: number; http?: number; metrics?: number } = {};
  readonly #stoppingListeners = new Set<() => void>();
  #isStarted = false;
  #stopping: Promise<void> | undefined;

  constructor(options: ServerOptions, log: Log) {
    this.#options = options;
    this.#log = log;
    this.#report = new LoadReport(log, this.#clock);
    const hasGpu = hasCudaGpu();
    const ortLogLevel = options.log.verboseLevel > 1 ? 0 : options.log.verboseLevel === 1 ? 2 : 4;
    const threads = new ExecutorThreads(options.executorThreads, { ortLogLevel }, (error) =>
      log.error({}, `an executor thread died, with its instances: ${error.message}`),
    );
    this.#stops.push({ name: 'executor threads', stop: () => threads.close() });
    this.#registry = new ModelRegistry((name) => this.#manager.isListed(name));
    const loadVersion = modelAssembler(
      { threads, clock: this.#clock, wheel: new TimerWheel(this.#clock) },
      { ...options, hasGpu, summaries: options.metrics?.summaryQuantiles !== undefined },
    );
    const parts = { registry: this.#registry, loadVersion, observer: this.#report };
    const loader = new ModelLoader(parts, options.modelLoadThreads);
    this.#manager = new ModelManager(
      { repositories: options.modelRepositories, controlMode: options.modelControlMode, hasGpu },
      { registry: this.#registry, loader, observer: this.#report },
    );
    this.#stops.push({ name: 'models', stop: () => this.#manager.stop() });
  }

  isReady(): boolean {
    const isServing = this.#isStarted && this.#stopping === undefined;
    return isServing && (!this.#options.strictReadiness || this.#manager.isReady());
  }

  onStopping(listener: () => void): () => void {
    this.#stoppingListeners.add(listener);
    return () => this.#stoppingListeners.delete(listener);
  }

  async start(): Promise<Server> {
    const failures = await this.#manager.start(this.#options.loadModels);
    const models = await this.#manager.index({ readyOnly: false });
    const { problems } = this.#report;
    for (const [name, error] of failures)
      if (!problems.has(name)) problems.set(name, [error.message.trim()]);
    if (failures.size > 0 && this.#options.exitOnError) {
      const names = [...failures.keys()].join(', ');
      throw new StartFailed(
        `${names} could not be loaded; --exit-on-error=false starts without what fails`,
        { models, problems },
      );
    }
    // What comes last stops first: probes and scrapers see the server to its end.
    await this.#startMetrics();
    await this.#startHttp();
    await this.#startGrpc();
    this.#isStarted = true;
    return { ports: this.#ports, models, problems, close: () => this.stop() };
  }

  /** Safe to call again; the second call waits for the first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (const listener of this.#stoppingListeners) listener();
    for (let step = this.#stops.pop(); step; step = this.#stops.pop()) {
      try {
        await step.stop();
      } catch (error) {
        this.#log.error(
          { step: step.name },
          `stopping failed: ${RuntimeError.from(error).message}`,
        );
      }
    }
  }

  async #startGrpc(): Promise<void> {
    const { grpc, exitTimeoutMs } = this.#options;
    if (!grpc) return;
    const transport = new GrpcJsTransport(grpc, this.#clock, this.#log);
    const observer = await this.#startRequestObservers();
    const methods = restrictMethods(this.#grpcMethods(observer), grpc.restrictions);
    const port = await bound('grpc', grpc.port, transport.start(methods));
    this.#stops.push({
      name: 'gRPC',
      stop: async () => {
        if (!(await endsWithin(transport.drain(), exitTimeoutMs)))
          this.#log.warn(
            {},
            `requests were still under way after ${exitTimeoutMs / 1000} s and are cut off`,
          );
        transport.close();
      },
    });
    this.#ports.grpc = port;
    this.#log.info({}, `Started GRPCInferenceService at ${grpc.address}:${port}`);
  }

  async #startRequestObservers(): Promise<RequestObserver | undefined> {
    const { log, tracing, id } = this.#options;
    const { observer, stop } = await startRequestObservers(
      {
        logEvery: log.everyRequests,
        tracing: tracing && {
          ...tracing,
          serviceVersion: VERSION,
          serviceName: tracing.serviceName || id,
          epochMs: () => Date.now() - this.#clock.now(),
          warn: (text) => this.#log.warn({ by: 'opentelemetry' }, text),
          statusOf: (error) => grpcStatusOf(error).code,
        },
      },
      this.#log,
    );
    this.#stops.push({
      name: 'request observers',
      stop: async () => {
        if (!(await endsWithin(stop(), LAST_SPANS_MS)))
          this.#log.warn({}, 'the last traces could not be sent in time');
      },
    });
    return observer;
  }

  #grpcMethods(observer: RequestObserver | undefined): GrpcMethod[] {
    const info = { name: this.#options.id, version: VERSION, extensions: EXTENSIONS };
    return [
      modelInferMethod({ catalog: this.#registry, clock: this.#clock, observer }),
      ...serverMethods(info, this, this.#registry),
      ...repositoryMethods(this.#manager),
      ...settingsMethods(this.#options.log),
      ...healthMethods(this, this.#registry),
      ...reflectionMethods(),
      ...unsupportedMethods(this.#options),
    ];
  }

  async #startHttp(): Promise<void> {
    const { http } = this.#options;
    if (!http) return;
    const server = healthHttp(this, (name, version) => this.#registry.isReady(name, version));
    this.#stops.push({ name: 'HTTP', stop: () => server.close() });
    this.#ports.http = await bound('http', http.port, listen(server, http));
    this.#log.info({}, `Started HTTPService at ${http.address}:${this.#ports.http}`);
  }

  async #startMetrics(): Promise<void> {
    const { metrics } = this.#options;
    if (!metrics) return;
    const { contentType, render } = createMetrics(this.#registry, {
      ...metrics,
      now: () => this.#clock.now(),
      pause: () => new Promise((resolve) => this.#clock.defer(resolve)),
    });
    const server = metricsHttp(contentType, render);
    this.#stops.push({ name: 'metrics', stop: () => server.close() });
    this.#ports.metrics = await bound('metrics', metrics.port, listen(server, metrics));
    this.#log.info({}, `Started Metrics Service at ${metrics.address}:${this.#ports.metrics}`);
  }
}

async function bound(what: string, port: number, listening: Promise<number>): Promise<number> {
  try {
    return await listening;
  } catch (error) {
    const { message } = RuntimeError.from(error);
    const text = `cannot listen on --${what}-port=${port} of --${what}-address: ${message}`;
    throw new Error(text, { cause: error });
  }
}
