// The text of a scrape: the families of all model versions, then the machine and the process.
//
// With a thousand models that is megabytes, so it is written in slices, with the server's work between them; who asks while it is
// being written gets the same text.

import type { ModelCatalog, ServedModel } from '../core/model-catalog.js';
import { metricTags } from '../config/metric-tags.js';
import { writeCustomMetrics } from './custom-metrics.js';
import { SampleWriter, labelValue, type LabelText } from './metric-family.js';
import { machineMetrics, type MachineMetricOptions } from './machine-metrics.js';
import { PIPELINE_METRICS, labelledNodes } from './pipeline-metrics.js';
import { modelMetrics, type ModelMetric, type ModelMetricOptions } from './model-metrics.js';

export interface Metrics {
  readonly contentType: string;
  /** The text of one scrape, UTF-8. */
  readonly render: () => Promise<Buffer>;
}

export interface MetricsOptions extends ModelMetricOptions, MachineMetricOptions {
  /** Lets other work go first. */
  readonly pause: () => Promise<void>;
}

export function createMetrics(catalog: ModelCatalog, options: MetricsOptions): Metrics {
  const families = modelMetrics(options);
  const machine = machineMetrics(options);
  let rendering: Promise<Buffer> | undefined;
  const renderNow = async (): Promise<Buffer> => {
    const models = catalog.readyVersions('');
    const parts = await modelText(families, models, options.pause);
    return Buffer.concat([...parts, pipelineText(models), Buffer.from(await machine.metrics())]);
  };
  const render = (): Promise<Buffer> =>
    (rendering ??= renderNow().finally(() => (rendering = undefined)));
  return { contentType: machine.contentType, render };
}

// ---- details below; callers need not read ----

/** Samples of so many models take less than a millisecond. */
const SLICE = 25;

async function modelText(
  families: readonly ModelMetric[],
  models: readonly ServedModel[],
  pause: () => Promise<void>,
): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  const writer = new SampleWriter();
  const labels = models.map(labelsOf);
  let written = 0;
  for (const family of families) {
    writer.begin(family);
    for (const [i, { statistics }] of models.entries()) {
      writer.labels(labels[i]!);
      family.write(writer, statistics);
      if (++written % SLICE !== 0) continue;
      parts.push(writer.take());
      await pause();
    }
  }
  writeCustomMetrics(writer, models, labels);
  return [...parts, writer.take()];
}

/** Few models have one, and small ones. */
function pipelineText(models: readonly ServedModel[]): Buffer {
  const writer = new SampleWriter();
  const trees = models.flatMap((model) =>
    model.pipeline ? [{ nodes: labelledNodes(model.pipeline), labels: labelsOf(model) }] : [],
  );
  for (const family of PIPELINE_METRICS) {
    writer.begin(family);
    for (const { nodes, labels } of trees) {
      writer.labels(labels);
      for (const node of nodes) family.write(writer, node);
    }
  }
  return writer.take();
}

/** In alphabetical order with the one between them, as Triton prints them: the tags of the configuration, as _KEY, are first. */
function labelsOf({ name, version, configMessage }: ServedModel): LabelText {
  const tags = Object.entries(metricTags(configMessage))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `_${key}="${labelValue(value)}",`);
  return { before: `${tags.join('')}model="${labelValue(name)}"`, after: `,version="${version}"` };
}
