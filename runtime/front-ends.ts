// The ports of the server and what is served on them. What is opened last is closed first: probes and scrapers see the server
// to its end.

import type { ServerOptions } from './config/server-options.js';
import type { Clock } from './core/clock.js';
import { endsWithin } from './core/ends-within.js';
import { RuntimeError } from './core/errors.js';
import type { AdjustableLog } from './core/log.js';
import type { ModelCatalog } from './core/model-catalog.js';
import type { ModelControl } from './core/model-control.js';
import { healthHttp, listen, metricsHttp } from './frontend/admin-http.js';
import { controlMethods } from './frontend/control-service.js';
import { GrpcJsTransport } from './frontend/grpc-js-transport.js';
import { grpcStatusOf } from './frontend/grpc-status.js';
import type { GrpcMethod } from './frontend/grpc-transport.js';
import { healthMethods } from './frontend/health-service.js';
import { modelInferMethod } from './frontend/model-infer.js';
import type { ModelInferenceParts } from './frontend/model-inference.js';
import { modelStreamInferMethod } from './frontend/model-stream-infer.js';
import { reflectionMethods } from './frontend/reflection-service.js';
import { repositoryMethods } from './frontend/repository-service.js';
import { restrictMethods } from './frontend/restricted-methods.js';
import { serverMethods } from './frontend/server-service.js';
import { settingsMethods } from './frontend/settings-service.js';
import { sharedMemoryMethods } from './frontend/shared-memory-service.js';
import { SharedMemory } from './frontend/shared-memory.js';
import type { UnaryMethod } from './frontend/unary-method.js';
import type { MachineMetricOptions } from './observability/machine-metrics.js';
import { createMetrics } from './observability/metrics.js';
import { startRequestObservers, type RequestObservers } from './observability/request-observers.js';
import type { ServerLifecycle } from './server-lifecycle.js';
import { VERSION } from './version.js';

/** How long the end of the server waits for a collector of traces. */
const LAST_SPANS_MS = 2_000;

/** Those of Triton that are served, in its order: all but cuda_shared_memory, whose calls answer that there is none. */
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
  'trace',
  'logging',
];

/** In use; undefined for what is not served. */
export interface Ports {
  readonly grpc?: number;
  readonly http?: number;
  readonly metrics?: number;
}

export interface FrontEndParts {
  readonly lifecycle: ServerLifecycle;
  readonly catalog: ModelCatalog;
  readonly control: ModelControl;
  readonly clock: Clock;
  readonly log: AdjustableLog;
  /** Undefined: no response cache in this process. */
  readonly cacheUsage: MachineMetricOptions['cacheUsage'];
}

/** What a front end of callers in the same process is made of. */
export interface InnerDoor {
  readonly inference: ModelInferenceParts;
  /** Those that ask about the server and its models. */
  readonly methods: readonly UnaryMethod[];
  readonly lifecycle: ServerLifecycle;
}

export interface StartedFrontEnds {
  readonly ports: Ports;
  readonly innerDoor: InnerDoor;
}

/** Opens every port; how each is closed goes to the lifecycle. @throws Error that names the flag of a port that cannot be had */
export async function startFrontEnds(
  parts: FrontEndParts,
  options: ServerOptions,
): Promise<StartedFrontEnds> {
  const observers = await startObservers(parts, options);
  const ends = new FrontEnds(parts, options, observers);
  const metrics = await ends.startMetrics();
  const http = await ends.startHttp();
  const grpc = await ends.startGrpc();
  const ports = {
    ...(grpc !== undefined && { grpc }),
    ...(http !== undefined && { http }),
    ...(metrics !== undefined && { metrics }),
  };
  return { ports, innerDoor: ends.innerDoor };
}

// ---- details below; callers need not read ----

class FrontEnds {
  readonly #parts: FrontEndParts;
  readonly #options: ServerOptions;
  readonly #observers: RequestObservers;
  readonly #sharedMemory = new SharedMemory();
  readonly innerDoor: InnerDoor;

  constructor(parts: FrontEndParts, options: ServerOptions, observers: RequestObservers) {
    this.#parts = parts;
    this.#options = options;
    this.#observers = observers;
    const { catalog, clock, control, lifecycle } = parts;
    const info = { name: options.id, version: VERSION, extensions: EXTENSIONS };
    this.innerDoor = {
      inference: {
        ...{ catalog, clock, observer: observers.observer },
        sharedMemory: this.#sharedMemory,
      },
      methods: [...serverMethods(info, lifecycle, catalog), ...repositoryMethods(control)],
      lifecycle,
    };
  }

  async startGrpc(): Promise<number | undefined> {
    const { grpc, exitTimeoutMs } = this.#options;
    const { clock, log, lifecycle } = this.#parts;
    if (!grpc) return undefined;
    const transport = new GrpcJsTransport(grpc, clock, log);
    const methods = restrictMethods(this.#grpcMethods(), grpc.restrictions);
    const port = await bound('grpc', grpc.port, transport.start(methods));
    lifecycle.onStop('gRPC', async () => {
      lifecycle.endStreams();
      if (!(await endsWithin(transport.drain(), exitTimeoutMs)))
        log.warn(
          {},
          `requests were still under way after ${exitTimeoutMs / 1000} s and are cut off`,
        );
      transport.close();
      this.#sharedMemory.unregisterAll();
    });
    log.info({}, `Started GRPCInferenceService at ${grpc.address}:${port}`);
    return port;
  }

  async startHttp(): Promise<number | undefined> {
    const { http } = this.#options;
    const { catalog, lifecycle, log } = this.#parts;
    if (!http) return undefined;
    const server = healthHttp(lifecycle, (name, version) => catalog.isReady(name, version));
    lifecycle.onStop('HTTP', () => server.close());
    const port = await bound('http', http.port, listen(server, http));
    log.info({}, `Started HTTPService at ${http.address}:${port}`);
    return port;
  }

  async startMetrics(): Promise<number | undefined> {
    const { metrics } = this.#options;
    const { catalog, clock, cacheUsage, lifecycle, log } = this.#parts;
    if (!metrics) return undefined;
    const { contentType, render } = createMetrics(catalog, {
      ...metrics,
      cacheUsage,
      now: () => clock.now(),
      pause: () => new Promise((resolve) => clock.defer(resolve)),
    });
    const server = metricsHttp(contentType, render);
    lifecycle.onStop('metrics', () => server.close());
    const port = await bound('metrics', metrics.port, listen(server, metrics));
    log.info({}, `Started Metrics Service at ${metrics.address}:${port}`);
    return port;
  }

  #grpcMethods(): GrpcMethod[] {
    const { catalog, clock, lifecycle, log } = this.#parts;
    const { inference, methods } = this.innerDoor;
    return [
      modelInferMethod(inference),
      modelStreamInferMethod(inference, lifecycle),
      ...methods,
      ...settingsMethods({ log, traces: this.#observers.traces, catalog }),
      ...sharedMemoryMethods(this.#sharedMemory, this.#options.allowClientSharedMemory),
      ...controlMethods({ catalog, clock }),
      ...healthMethods(lifecycle, catalog),
      ...reflectionMethods(),
    ];
  }
}

async function startObservers(
  { clock, lifecycle, log }: FrontEndParts,
  { log: logOptions, tracing, id }: ServerOptions,
): Promise<RequestObservers> {
  const observers = await startRequestObservers(
    {
      logEvery: logOptions.everyRequests,
      tracing: tracing && {
        ...tracing,
        serviceVersion: VERSION,
        serviceName: tracing.serviceName || id,
        epochMs: () => Date.now() - clock.now(),
        warn: (text) => log.warn({ by: 'opentelemetry' }, text),
        statusOf: (error) => grpcStatusOf(error).code,
      },
    },
    log,
  );
  lifecycle.onStop('request observers', async () => {
    if (!(await endsWithin(observers.stop(), LAST_SPANS_MS)))
      log.warn({}, 'the last traces could not be sent in time');
  });
  return observers;
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
