// The metrics of models whose answers are cached. Names, types, labels and units are Triton's.

import type { CacheStat, ModelStatistics } from '../core/model-statistics.js';
import { writeSummary } from './latency-summary.js';
import type { MetricFamily } from './metric-family.js';

type CacheMetric = MetricFamily<ModelStatistics>;

/** Only of models whose answers are cached, as in Triton. */
export const CACHE_METRICS: readonly CacheMetric[] = [
  cacheCounter(
    'nv_cache_num_hits_per_model',
    'Number of cache hits per model',
    ({ hits }) => hits.count,
  ),
  cacheCounter(
    'nv_cache_num_misses_per_model',
    'Number of cache misses per model',
    ({ misses }) => misses.count,
  ),
  cacheCounter(
    'nv_cache_hit_duration_per_model',
    'Total cache hit duration per model, in microseconds',
    ({ hits }) => microseconds(hits.ms),
  ),
  cacheCounter(
    'nv_cache_miss_duration_per_model',
    'Total cache miss duration per model, in microseconds',
    ({ misses }) => microseconds(misses.ms),
  ),
];

export function cacheSummaries(quantiles: readonly number[], now: () => number): CacheMetric[] {
  return (['hit', 'miss'] as const).map((what) => ({
    name: `nv_cache_${what}_summary_per_model`,
    help: `Summary of cache ${what} durations per model, in microseconds`,
    type: 'summary',
    write: (to, { cache }) => {
      const digests = cache?.digests;
      if (!digests) return;
      const digest = what === 'hit' ? digests.hits : digests.misses;
      writeSummary(to, digest, { quantiles, now: now() });
    },
  }));
}

// ---- details below; callers need not read ----

function cacheCounter(
  name: string,
  ...[help, value]: [string, (cache: CacheStat) => number]
): CacheMetric {
  return {
    name,
    help,
    type: 'counter',
    write: (to, { cache }) => {
      if (cache) to.sample(value(cache));
    },
  };
}

function microseconds(ms: number): number {
  return Math.round(ms * 1000);
}
