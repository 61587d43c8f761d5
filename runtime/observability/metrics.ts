// Prometheus metrics. Nothing is counted here: the road counts plain numbers (core/model-statistics), and these tables say which
// number is which metric when a scrape comes. Names, labels and units of nv_* are Triton's.

import { Counter, Gauge, Registry } from 'prom-client';
import type { ModelCatalog } from '../core/model-catalog.js';
import type { FailureReason, ModelStatistics } from '../core/model-statistics.js';

export interface Metrics {
  readonly contentType: string;
  /** The text of one scrape. */
  readonly render: () => Promise<string>;
}

interface ModelMetric {
  readonly name: string;
  readonly help: string;
  readonly value: (statistics: ModelStatistics) => number;
}

const COUNTERS: readonly ModelMetric[] = [
  {
    name: 'nv_inference_request_success',
    help: 'Number of successful inference requests, all batch sizes',
    value: ({ success }) => success.count,
  },
  {
    name: 'nv_inference_count',
    help: 'Number of inferences performed (does not include cached requests)',
    value: ({ inferenceCount }) => inferenceCount,
  },
  {
    name: 'nv_inference_exec_count',
    help: 'Number of model executions performed (does not include cached requests)',
    value: ({ executionCount }) => executionCount,
  },
  {
    name: 'nv_inference_request_duration_us',
    help: 'Cumulative inference request duration in microseconds (includes cached requests)',
    value: ({ success }) => microseconds(success.ms),
  },
  {
    name: 'nv_inference_queue_duration_us',
    help: 'Cumulative inference queuing duration in microseconds (includes cached requests)',
    value: ({ queue }) => microseconds(queue.ms),
  },
  {
    name: 'nv_inference_compute_input_duration_us',
    help: 'Cumulative compute input duration in microseconds (does not include cached requests)',
    value: ({ input }) => microseconds(input.ms),
  },
  {
    name: 'nv_inference_compute_infer_duration_us',
    help: 'Cumulative compute inference duration in microseconds (does not include cached requests)',
    value: ({ infer }) => microseconds(infer.ms),
  },
  {
    name: 'nv_inference_compute_output_duration_us',
    help: 'Cumulative inference compute output duration in microseconds (does not include cached requests)',
    value: ({ output }) => microseconds(output.ms),
  },
];

const PENDING: ModelMetric = {
  name: 'nv_inference_pending_request_count',
  help: 'Instantaneous number of pending requests awaiting execution per-model.',
  value: ({ pending }) => pending,
};

export function createMetrics(catalog: ModelCatalog): Metrics {
  const registry = new Registry();
  for (const metric of COUNTERS) registry.registerMetric(modelCounter(metric, catalog));
  registry.registerMetric(failureCounter(catalog));
  registry.registerMetric(pendingGauge(catalog));
  return { contentType: registry.contentType, render: () => registry.metrics() };
}

// ---- details below; callers need not read ----

// Labels in alphabetical order, as Triton prints them.

function modelCounter({ name, help, value }: ModelMetric, catalog: ModelCatalog): Counter {
  return new Counter({
    name,
    help,
    labelNames: ['model', 'version'],
    registers: [],
    collect() {
      this.reset();
      for (const { name: model, version, statistics } of catalog.readyVersions(''))
        this.inc({ model, version: String(version) }, value(statistics));
    },
  });
}

function failureCounter(catalog: ModelCatalog): Counter {
  return new Counter({
    name: 'nv_inference_request_failure',
    help: 'Number of failed inference requests, all batch sizes',
    labelNames: ['model', 'reason', 'version'],
    registers: [],
    collect() {
      this.reset();
      for (const { name: model, version, statistics } of catalog.readyVersions(''))
        for (const [reason, count] of Object.entries(statistics.failures) as [
          FailureReason,
          number,
        ][])
          this.inc({ model, reason, version: String(version) }, count);
    },
  });
}

function pendingGauge(catalog: ModelCatalog): Gauge {
  return new Gauge({
    name: PENDING.name,
    help: PENDING.help,
    labelNames: ['model', 'version'],
    registers: [],
    collect() {
      this.reset();
      for (const { name: model, version, statistics } of catalog.readyVersions(''))
        this.set({ model, version: String(version) }, PENDING.value(statistics));
    },
  });
}

function microseconds(ms: number): number {
  return Math.round(ms * 1000);
}
