// Traces by OpenTelemetry: a span for each request, and within it one for its waiting and one for its computing. They are made when
// the request has ended, from the times it passed the points of its road, so the road itself knows nothing of them. What is sent to
// other servers for it has to say before that which span it belongs to (settled-trace.ts).
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
import { NodeSDK, resources, tracing } from '@opentelemetry/sdk-node';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { LegFacts } from '../core/call.js';
import type { SamplerConfig } from '../config/trace-config.js';
import type { ErrorCode, RuntimeError } from '../core/errors.js';
import type { TraceSettings } from '../core/trace-control.js';
import type { FinishedRequest, RequestFacts, RequestObserver } from '../core/request-observer.js';
import { SettledTrace, SpanIds } from './settled-trace.js';
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
  readonly #sampler: tracing.Sampler;
  readonly #ids = new SpanIds();
  readonly #options: TracingOptions;

  constructor(options: TracingOptions) {
    const { url, serviceName, serviceVersion, sampler, settings, warn } = options;
    const ignore = (): void => undefined;
    diag.setLogger(
      { error: warn, warn, info: ignore, debug: ignore, verbose: ignore },
      DiagLogLevel.WARN,
    );
    this.#sampler = createSampler(sampler);
    this.#sdk = new NodeSDK({
      serviceName,
      ...(url !== '' && { traceExporter: new OTLPTraceExporter({ url }) }),
      sampler: this.#sampler,
      idGenerator: this.#ids,
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

  traceOf({ modelName, metadata }: RequestFacts): SettledTrace | undefined {
    if (!this.sampling.isOpen(modelName)) return undefined;
    const parent = propagation.extract(context.active(), metadata, HEADERS);
    const caller = trace.getSpanContext(parent);
    const traceId = caller?.traceId ?? this.#ids.newTraceId();
    const turn = caller ? 'sampler' : this.sampling.isTurn(modelName);
    const isSampled = turn === 'sampler' ? this.#isSampled(parent, traceId) : turn;
    if (isSampled) this.sampling.traced(modelName);
    return new SettledTrace({ parent: sampled(parent), traceId, isSampled, ids: this.#ids });
  }

  requestFinished(request: FinishedRequest): void {
    const settled = request.trace === undefined ? this.traceOf(request) : request.trace;
    if (!(settled instanceof SettledTrace) || !settled.isSampled) return;
    const { parent } = settled;
    const { receivedAt } = request.timings;
    const epochMs = this.#options.epochMs();
    const within = { trace: settled, parent, epochMs, kind: SpanKind.SERVER };
    const span = this.#start(NAME, receivedAt, {
      ...within,
      spanId: settled.spanIdOf(request.timings),
    });
    this.#describe(span, request);
    this.#addPhases(inside(within, span), request);
    span.end(epochMs + request.endedAt);
  }

  /** Sends what is left. */
  async stop(): Promise<void> {
    await this.#sdk.shutdown();
  }

  // ---- details below; callers need not read ----

  #isSampled(parent: Context, traceId: string): boolean {
    const { decision } = this.#sampler.shouldSample(parent, traceId, NAME, SpanKind.SERVER, {}, []);
    return decision === tracing.SamplingDecision.RECORD_AND_SAMPLED;
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

  #addPhases(within: Within, { timings, legs, endedAt }: Phased): void {
    if (legs.length > 0) {
      for (const leg of legs) this.#addLeg(within, leg, endedAt);
      return;
    }
    const { epochMs } = within;
    const { queuedAt, dispatchedAt, completedAt } = timings;
    if (queuedAt === 0) return;
    const queue = this.#start('queue', queuedAt, within);
    queue.end(epochMs + (dispatchedAt || endedAt));
    if (dispatchedAt === 0 || timings.cached) return;
    const compute = this.#start('compute', dispatchedAt, within);
    compute.setAttributes({
      'inferd.batch_size': timings.batchSize,
      'inferd.compute_input_ms': timings.inputMs,
      'inferd.compute_infer_ms': timings.inferMs,
      'inferd.compute_output_ms': timings.outputMs,
    });
    compute.end(epochMs + (completedAt || endedAt));
  }

  /** A leg that has not ended was given up when the request ended. */
  #addLeg(within: Within, leg: LegFacts, requestEndedAt: number): void {
    const { target, call, error, modelName, modelVersion } = leg;
    const { timings, legs } = call;
    const spanId = within.trace.spanIdOf(timings);
    const span = this.#start(target.name, timings.receivedAt, { ...within, spanId });
    span.setAttributes({
      'inferd.model.name': modelName,
      ...(modelVersion !== '' && { 'inferd.model.version': modelVersion }),
      ...(error && { 'error.type': error.code }),
    });
    if (error && OURS.includes(error.code))
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    const endedAt = leg.endedAt || requestEndedAt;
    this.#addPhases(inside(within, span), { timings, legs, endedAt });
    span.end(within.epochMs + endedAt);
  }

  /** `at`: on the clock's scale. */
  #start(name: string, at: number, { trace: { traceId }, parent, ...within }: Within): Span {
    const { epochMs, kind = SpanKind.INTERNAL, spanId } = within;
    this.#ids.give(traceId, spanId);
    const span = this.#tracer.startSpan(name, { kind, startTime: epochMs + at }, parent);
    this.#ids.takeBack();
    return span;
  }
}

/** Where a span is made. */
interface Within {
  readonly trace: SettledTrace;
  readonly parent: Context;
  readonly epochMs: number;
  readonly kind?: SpanKind;
  /** Undefined: a random one. */
  readonly spanId?: string | undefined;
}

function inside({ trace: settled, parent, epochMs }: Within, span: Span): Within {
  return { trace: settled, parent: trace.setSpan(parent, span), epochMs };
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

const NAME = 'inference.GRPCInferenceService/ModelInfer';

const HEADERS: TextMapGetter<RequestFacts['metadata']> = {
  get: (metadata, key) => metadata(key.toLowerCase()),
  keys: () => [],
};
