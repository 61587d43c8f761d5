// The metrics of a model version. Nothing is counted here: the road counts plain numbers (core/model-statistics), and this table
// says which number is which metric. Names, types, labels and units of nv_* are Triton's; the histograms of durations are named as
// proposed there (core, pull request 474). docs/metrics.md explains each; a test keeps the two equal.

import type { Histogram } from '../core/histogram.js';
import { CLOSE_REASONS, type ModelStatistics } from '../core/model-statistics.js';
import { CACHE_METRICS, cacheSummaries } from './cache-metrics.js';
import { writeSummary } from './latency-summary.js';
import type { MetricFamily, SampleWriter } from './metric-family.js';

export type ModelMetric = MetricFamily<ModelStatistics>;

export interface ModelMetricOptions {
  /** Triton's counter_latencies: the nv_inference_*_duration_us counters. */
  readonly counterLatencies: boolean;
  /** Triton's summary_latencies, with these quantiles; undefined: none. Statistics must keep digests. */
  readonly summaryQuantiles: readonly number[] | undefined;
  /** On the scale of the clock of the statistics. */
  readonly now: () => number;
}

export function modelMetrics(options: ModelMetricOptions): readonly ModelMetric[] {
  return [
    ...COUNTS,
    ...(options.counterLatencies ? DURATIONS : []),
    ...HISTOGRAMS,
    ...(options.summaryQuantiles ? summaries(options.summaryQuantiles, options.now) : []),
    ...BATCHING,
    ...CACHE_METRICS,
    ...(options.summaryQuantiles ? cacheSummaries(options.summaryQuantiles, options.now) : []),
  ];
}

// ---- details below; callers need not read ----

type Value = (statistics: ModelStatistics) => number;

function plain(
  type: 'counter' | 'gauge',
  name: string,
  ...[help, value]: [string, Value]
): ModelMetric {
  return { name, help, type, write: (to, statistics) => to.sample(value(statistics)) };
}

const COUNTS: readonly ModelMetric[] = [
  plain(
    'counter',
    'nv_inference_request_success',
    'Number of successful inference requests, all batch sizes',
    ({ success }) => success.count,
  ),
  {
    name: 'nv_inference_request_failure',
    help: 'Number of failed inference requests, all batch sizes',
    type: 'counter',
    write: (to, { failures }) => {
      for (const [reason, count] of Object.entries(failures))
        to.sample(count, `,reason="${reason}"`);
    },
  },
  plain(
    'counter',
    'nv_inference_count',
    'Number of inferences performed (does not include cached requests)',
    ({ inferenceCount }) => inferenceCount,
  ),
  plain(
    'counter',
    'nv_inference_exec_count',
    'Number of model executions performed (does not include cached requests)',
    ({ executionCount }) => executionCount,
  ),
  plain(
    'gauge',
    'nv_inference_pending_request_count',
    'Instantaneous number of pending requests awaiting execution per-model.',
    ({ pending }) => pending,
  ),
  plain(
    'gauge',
    'nv_model_load_duration_secs',
    'Model load time in seconds',
    ({ loadMs }) => loadMs / 1000,
  ),
];

const DURATIONS: readonly ModelMetric[] = [
  plain(
    'counter',
    'nv_inference_request_duration_us',
    'Cumulative inference request duration in microseconds (includes cached requests)',
    ({ success }) => microseconds(success.ms),
  ),
  plain(
    'counter',
    'nv_inference_queue_duration_us',
    'Cumulative inference queuing duration in microseconds (includes cached requests)',
    ({ queue }) => microseconds(queue.ms),
  ),
  plain(
    'counter',
    'nv_inference_compute_input_duration_us',
    'Cumulative compute input duration in microseconds (does not include cached requests)',
    ({ input }) => microseconds(input.ms),
  ),
  plain(
    'counter',
    'nv_inference_compute_infer_duration_us',
    'Cumulative compute inference duration in microseconds (does not include cached requests)',
    ({ infer }) => microseconds(infer.ms),
  ),
  plain(
    'counter',
    'nv_inference_compute_output_duration_us',
    'Cumulative inference compute output duration in microseconds (does not include cached requests)',
    ({ output }) => microseconds(output.ms),
  ),
];

const HISTOGRAMS: readonly ModelMetric[] = [
  histogram(
    'nv_inference_request_duration_histogram_us',
    'Duration of whole requests in microseconds',
    ({ requestLatency }) => requestLatency,
  ),
  histogram(
    'nv_inference_queue_duration_histogram_us',
    'Time that requests waited in the queue, in microseconds',
    ({ queueLatency }) => queueLatency,
  ),
  histogram(
    'nv_inference_compute_infer_duration_histogram_us',
    'Time that the model computed on the batch of a request, in microseconds',
    ({ computeLatency }) => computeLatency,
  ),
];

const BATCHING: readonly ModelMetric[] = [
  {
    name: 'inferd_batch_size',
    help: 'Rows of an execution',
    type: 'histogram',
    write: writeBatchSizes,
  },
  {
    name: 'inferd_batch_closed_total',
    help: 'Batches by what kept them from growing: preferred or max size, delay, a shape that differs, or nothing else waiting (idle)',
    type: 'counter',
    write: (to, { closed }) => {
      for (const reason of CLOSE_REASONS) to.sample(closed[reason], `,reason="${reason}"`);
    },
  },
  plain(
    'counter',
    'inferd_instance_busy_seconds_total',
    'Time that the instances of the model spent on batches, all instances together',
    ({ busyMs }) => busyMs / 1000,
  ),
  plain('gauge', 'inferd_instances', 'Instances of the model', ({ instances }) => instances),
  {
    name: 'inferd_sequences',
    help: 'Sequences that have begun and not ended, by the place they have: a slot, or the backlog until one is free',
    type: 'gauge',
    write: (to, { sequences }) => {
      if (!sequences) return;
      to.sample(sequences.slot, ',place="slot"');
      to.sample(sequences.backlog, ',place="backlog"');
    },
  },
];

function histogram(
  name: string,
  help: string,
  of: (statistics: ModelStatistics) => Histogram,
): ModelMetric {
  return {
    name,
    help,
    type: 'histogram',
    write: (to, statistics) => {
      const { bounds, counts, sum } = of(statistics);
      let total = 0;
      counts.forEach((count, range) => {
        total += count;
        to.part('_bucket', total, `,le="${bounds[range] ?? '+Inf'}"`);
      });
      to.part('_sum', Math.round(sum));
      to.part('_count', total);
    },
  };
}

const BATCH_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** From the exact counts by size that the statistics call shows. */
function writeBatchSizes(to: SampleWriter, { batches, inferenceCount }: ModelStatistics): void {
  const sizes = [...batches].map(([rows, { infer }]) => ({ rows, count: infer.count }));
  for (const bound of [...BATCH_BOUNDS, Infinity]) {
    const count = sizes.reduce((sum, size) => sum + (size.rows <= bound ? size.count : 0), 0);
    to.part('_bucket', count, `,le="${bound === Infinity ? '+Inf' : bound}"`);
  }
  to.part('_sum', inferenceCount);
  to.part(
    '_count',
    sizes.reduce((sum, { count }) => sum + count, 0),
  );
}

function summaries(quantiles: readonly number[], now: () => number): ModelMetric[] {
  return (['request', 'queue', 'input', 'infer', 'output'] as const).map((part) => {
    const compute = ['input', 'infer', 'output'].includes(part) ? 'compute_' : '';
    return {
      name: `nv_inference_${compute}${part}_summary_us`,
      help: `Summary of the ${part} durations of requests in microseconds`,
      type: 'summary',
      write: (to, { digests }) => {
        if (digests) writeSummary(to, digests[part], { quantiles, now: now() });
      },
    };
  });
}

function microseconds(ms: number): number {
  return Math.round(ms * 1000);
}
