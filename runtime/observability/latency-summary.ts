// A metric of type summary from what is kept of latencies.

import type { LatencyDigest } from '../core/latency-digest.js';
import type { SampleWriter } from './metric-family.js';

export function writeSummary(
  to: SampleWriter,
  digest: LatencyDigest,
  { quantiles, now }: { quantiles: readonly number[]; now: number },
): void {
  for (const quantile of quantiles)
    to.sample(digest.quantile(quantile, now), `,quantile="${quantile}"`);
  to.part('_sum', Math.round(digest.sum));
  to.part('_count', digest.count);
}
