// Traces by OpenTelemetry: a span for each request, and within it one for its waiting and one for its computing. They are made when
// the request has ended, from the times it passed the points of its road, so the road itself knows nothing of them.
//
// Loaded only when there is an endpoint to send to. The environment variables of OpenTelemetry (OTEL_EXPORTER_OTLP_…,
// OTEL_TRACES_SAMPLER, OTEL_SERVICE_NAME, OTEL_PROPAGATORS …) hold. Names: https://opentelemetry.io/docs/specs/semconv/rpc/grpc/

import type { Context, Span, TextMapGetter, Tracer } from '@opentelemetry/api';
import {
  DiagLogLevel,
  SpanKind,
  SpanStatusCode,
  context,
  diag,
  propagation,
  trace,
} from '@opentelemetry/api';
import { NodeSDK, resources } from '@opentelemetry/sdk-node';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { LegFacts } from '../core/call.js';
import type { SamplerConfig } from '../config/trace-config.js';
import type { ErrorCode, RuntimeError } from '../core/errors.js';
import type { TraceSettings } from '../core/trace-control.js';
import type { FinishedRequest, RequestObserver } from '../core/request-observer.js';
import { TraceSampling } from './trace-sampling.js';
import { createSampler, sampled } from './trace-sampler.js';

export interface TracingOptions {
  /** Where to send spans over HTTP; '': where the environment says. */
  readonly url: string;
  readonly serviceName: string;
  readonly serviceVersion: string;
  readonly sampler: SamplerConfig;
  /** Before TraceSetting changes them. */
  readonly settings: Partial<TraceSettings>;
  /** The milliseconds since 1970 at the zero point of the clock that requests are timed with, as of now: time of day may be set. */
  readonly epochMs: () => number;
  /** Told of spans that cannot be sent. */
  readonly warn: (text: string) => void;
  /** The gRPC status of an error. */
  readonly statusOf: (error: RuntimeError) => number;
}

export class Tracing implements RequestObserver {
  readonly sampling: TraceSampling;
  readonly #sdk: NodeSDK;
  readonly #tracer: Tracer;
  readonly #options: TracingOptions;

  constructor(options: TracingOptions) {
    const { url, serviceName, serviceVersion, sampler, settings, warn } = options;
    const ignore = (): void => undefined;
    diag.setLogger(
      { error: warn, warn, info: ignore, debug: ignore, verbose: ignore },
      DiagLogLevel.WARN,
    );
    this.#sdk = new NodeSDK({
      serviceName,
      ...(url !== '' && { traceExporter: new OTLPTraceExporter({ url }) }),
      sampler: createSampler(sampler),
      // Not the process: its command line may have secrets in it.
      resourceDetectors: [resources.envDetector, resources.hostDetector],
      instrumentations: [],
      metricReaders: [],
      logRecordProcessors: [],
    });
    this.#sdk.start();
    this.#tracer = trace.getTracer('inferd', serviceVersion);
    this.#options = options;
    const rate = sampler.ratio === 0 ? 0 : Math.round(1 / sampler.ratio);
    this.sampling = new TraceSampling(rate, settings);
  }

  requestFinished(request: FinishedRequest): void {
    if (!this.sampling.isOpen(request.modelName)) return;
    const parent = this.#parentOf(request);
    if (!parent) return;
    const epochMs = this.#options.epochMs();
    const startTime = epochMs + request.timings.receivedAt;
    const options = { kind: SpanKind.SERVER, startTime };
    const name = 'inference.GRPCInferenceService/ModelInfer';
    const span = this.#tracer.startSpan(name, options, parent);
    if (span.isRecording()) {
      this.sampling.traced(request.modelName);
      this.#describe(span, request);
      this.#addPhases(trace.setSpan(parent, span), request, epochMs);
    }
    span.end(epochMs + request.endedAt);
  }

  /** Sends what is left. */
  async stop(): Promise<void> {
    await this.#sdk.shutdown();
  }

  // ---- details below; callers need not read ----

  /** Undefined: the request is not to be traced. */
  #parentOf(request: FinishedRequest): Context | undefined {
    const parent = propagation.extract(context.active(), request, HEADERS);
    if (trace.getSpanContext(parent)) return parent;
    const isTurn = this.sampling.isTurn(request.modelName);
    if (isTurn === 'sampler') return parent;
    return isTurn ? sampled(parent) : undefined;
  }

  #describe(span: Span, { modelName, modelVersion, id, timings, error }: FinishedRequest): void {
    span.setAttributes({
      'rpc.system': 'grpc',
      'rpc.service': 'inference.GRPCInferenceService',
      'rpc.method': 'ModelInfer',
      'rpc.grpc.status_code': error ? this.#options.statusOf(error) : 0,
      'inferd.model.name': modelName,
      'inferd.model.version': modelVersion,
      ...(id !== '' && { 'inferd.request.id': id }),
      ...(timings.cached && { 'inferd.cached': true }),
      ...(timings.batchSize > 0 && { 'inferd.batch_size': timings.batchSize }),
    });
    if (!error) return;
    span.setAttribute('error.type', error.code);
    // What the caller did wrong is no error of the server's, in the words of the convention.
    if (OURS.includes(error.code))
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  }

  #addPhases(parent: Context, { timings, legs, endedAt }: Phased, epochMs: number): void {
    if (legs.length > 0) {
      for (const leg of legs) this.#addLeg(parent, leg, { endedAt, epochMs });
      return;
    }
    const { queuedAt, dispatchedAt, completedAt } = timings;
    if (queuedAt === 0) return;
    const queue = this.#phase('queue', epochMs + queuedAt, parent);
    queue.end(epochMs + (dispatchedAt || endedAt));
    if (dispatchedAt === 0 || timings.cached) return;
    const compute = this.#phase('compute', epochMs + dispatchedAt, parent);
    compute.setAttributes({
      'inferd.batch_size': timings.batchSize,
      'inferd.compute_input_ms': timings.inputMs,
      'inferd.compute_infer_ms': timings.inferMs,
      'inferd.compute_output_ms': timings.outputMs,
    });
    compute.end(epochMs + (completedAt || endedAt));
  }

  /** A leg that has not ended was given up when the request ended. */
  #addLeg(
    parent: Context,
    leg: LegFacts,
    { endedAt, epochMs }: { endedAt: number; epochMs: number },
  ): void {
    const { target, call, error, modelName, modelVersion } = leg;
    const { timings, legs } = call;
    const span = this.#phase(target.name, epochMs + timings.receivedAt, parent);
    span.setAttributes({
      'inferd.model.name': modelName,
      ...(modelVersion !== '' && { 'inferd.model.version': modelVersion }),
      ...(error && { 'error.type': error.code }),
    });
    if (error && OURS.includes(error.code))
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    const until = leg.endedAt || endedAt;
    this.#addPhases(trace.setSpan(parent, span), { timings, legs, endedAt: until }, epochMs);
    span.end(epochMs + until);
  }

  #phase(name: string, startTime: number, parent: Context): Span {
    return this.#tracer.startSpan(name, { kind: SpanKind.INTERNAL, startTime }, parent);
  }
}

type Phased = Pick<FinishedRequest, 'timings' | 'legs' | 'endedAt'>;

/** Codes that say that the server is at fault or in trouble. */
const OURS: readonly ErrorCode[] = [
  'MODEL_NOT_READY',
  'QUEUE_FULL',
  'QUEUE_TIMEOUT',
  'TOO_MANY_REQUESTS',
  'CIRCUIT_OPEN',
  'DEADLINE_EXCEEDED',
  'BACKEND_FAILED',
  'BACKEND_LOST',
  'SHUTTING_DOWN',
  'UNSUPPORTED',
  'INTERNAL',
];

const HEADERS: TextMapGetter<FinishedRequest> = {
  get: (request, key) => request.metadata(key.toLowerCase()),
  keys: () => [],
};
