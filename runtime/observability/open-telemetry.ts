// Traces by OpenTelemetry: a span for each request, and within it one for its waiting and one for its computing. They are made when
// the request has ended, from the times it passed the points of its road, so the road itself knows nothing of them.
//
// Loaded only when there is an endpoint to send to. The environment variables of OpenTelemetry (OTEL_EXPORTER_OTLP_…,
// OTEL_TRACES_SAMPLER, OTEL_SERVICE_NAME, OTEL_PROPAGATORS …) hold. Names: https://opentelemetry.io/docs/specs/semconv/rpc/grpc/

import type { Context, Span, TextMapGetter, Tracer } from '@opentelemetry/api';
import { SpanKind, SpanStatusCode, context, propagation, trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { RuntimeError } from '../core/errors.js';
import type { FinishedRequest, RequestObserver } from '../core/request-observer.js';

export interface TracingOptions {
  /** Where to send spans over HTTP; '': where the environment says. */
  readonly url: string;
  readonly serviceName: string;
  readonly serviceVersion: string;
  /** The milliseconds since 1970 at the zero point of the clock that requests are timed with. */
  readonly epochMs: number;
  /** The gRPC status of an error. */
  readonly statusOf: (error: RuntimeError) => number;
}

export class Tracing implements RequestObserver {
  readonly #sdk: NodeSDK;
  readonly #tracer: Tracer;
  readonly #options: TracingOptions;

  constructor(options: TracingOptions) {
    const { url, serviceName, serviceVersion } = options;
    this.#sdk = new NodeSDK({
      serviceName,
      ...(url !== '' && { traceExporter: new OTLPTraceExporter({ url }) }),
      instrumentations: [],
      metricReaders: [],
      logRecordProcessors: [],
    });
    this.#sdk.start();
    this.#tracer = trace.getTracer('inferd', serviceVersion);
    this.#options = options;
  }

  requestFinished(request: FinishedRequest): void {
    const parent = propagation.extract(context.active(), request, HEADERS);
    const span = this.#start('inference.GRPCInferenceService/ModelInfer', {
      kind: SpanKind.SERVER,
      at: request.timings.receivedAt,
      parent,
    });
    if (span.isRecording()) {
      this.#describe(span, request);
      this.#addPhases(trace.setSpan(parent, span), request);
    }
    span.end(this.#epoch(request.endedAt));
  }

  /** Sends what is left. */
  async stop(): Promise<void> {
    await this.#sdk.shutdown();
  }

  // ---- details below; callers need not read ----

  #describe(span: Span, { modelName, modelVersion, id, timings, error }: FinishedRequest): void {
    span.setAttributes({
      'rpc.system': 'grpc',
      'rpc.service': 'inference.GRPCInferenceService',
      'rpc.method': 'ModelInfer',
      'rpc.grpc.status_code': error ? this.#options.statusOf(error) : 0,
      'inferd.model.name': modelName,
      'inferd.model.version': modelVersion,
      ...(id !== '' && { 'inferd.request.id': id }),
      ...(timings.batchSize > 0 && { 'inferd.batch_size': timings.batchSize }),
    });
    if (!error) return;
    span.setAttribute('error.type', error.code);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  }

  #addPhases(parent: Context, { timings, endedAt }: FinishedRequest): void {
    const { queuedAt, dispatchedAt, completedAt } = timings;
    if (queuedAt === 0) return;
    const queue = this.#start('queue', { kind: SpanKind.INTERNAL, at: queuedAt, parent });
    queue.end(this.#epoch(dispatchedAt || endedAt));
    if (dispatchedAt === 0) return;
    const compute = this.#start('compute', { kind: SpanKind.INTERNAL, at: dispatchedAt, parent });
    compute.setAttributes({
      'inferd.batch_size': timings.batchSize,
      'inferd.compute_input_ms': timings.inputMs,
      'inferd.compute_infer_ms': timings.inferMs,
      'inferd.compute_output_ms': timings.outputMs,
    });
    compute.end(this.#epoch(completedAt || endedAt));
  }

  #start(
    name: string,
    { kind, at, parent }: { kind: SpanKind; at: number; parent: Context },
  ): Span {
    return this.#tracer.startSpan(name, { kind, startTime: this.#epoch(at) }, parent);
  }

  #epoch(at: number): number {
    return this.#options.epochMs + at;
  }
}

const HEADERS: TextMapGetter<FinishedRequest> = {
  get: (request, key) => request.metadata(key.toLowerCase()),
  keys: () => [],
};
