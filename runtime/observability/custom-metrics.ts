// The metrics that the code of models counts, as families: models that use the same name share one, which is of the kind that the first
// of them says; another kind under the same name is left out, as no scrape may have both.

import type { CustomMetric } from '../core/custom-metrics.js';
import type { ServedModel } from '../core/model-catalog.js';
import type { LabelText, SampleWriter } from './metric-family.js';

/** `labels`: of each model. */
export function writeCustomMetrics(
  writer: SampleWriter,
  models: readonly ServedModel[],
  labels: readonly LabelText[],
): void {
  for (const family of familiesOf(models)) {
    const { name, help, type } = family[0]!.metric;
    writer.begin({ name, help: help.replace(/\s+/g, ' ').replace(/\\/g, '\\\\'), type });
    for (const { metric, model } of family) {
      if (metric.type !== type) continue;
      writer.labels(labels[model]!);
      write(writer, metric);
    }
  }
}

// ---- details below; callers need not read ----

interface Member {
  readonly metric: CustomMetric;
  /** Index of the model. */
  readonly model: number;
}

function familiesOf(models: readonly ServedModel[]): Iterable<Member[]> {
  const families = new Map<string, Member[]>();
  models.forEach(({ customMetrics }, model) => {
    for (const metric of customMetrics?.all ?? []) {
      const family = families.get(metric.name);
      if (family) family.push({ metric, model });
      else families.set(metric.name, [{ metric, model }]);
    }
  });
  return families.values();
}

function write(writer: SampleWriter, metric: CustomMetric): void {
  if (metric.type !== 'histogram') {
    writer.sample(metric.value);
    return;
  }
  let total = 0;
  metric.counts.forEach((count, bucket) => {
    total += count;
    writer.part('_bucket', total, `,le="${metric.bounds[bucket] ?? '+Inf'}"`);
  });
  writer.part('_sum', metric.sum);
  writer.part('_count', total);
}
