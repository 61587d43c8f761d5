// Counts of models as tables for people and as JSON for programs.

import { durationText, figures } from './duration-text.js';
import { meanMs, type ModelCounts, type Sum } from './model-counts.js';
import { table, type Column } from './table.js';

const NAMES: readonly Column[] = [{ title: 'Model' }, { title: 'Version' }];
const MEANS = numbers('Queue', 'Compute', 'Total');
const COUNT_COLUMNS = [
  ...NAMES,
  ...numbers('Requests', 'Failed', 'Rows', 'Batches', 'Rows/batch'),
  ...MEANS,
];
const RATE_COLUMNS = [
  ...NAMES,
  ...numbers('Requests/s', 'Failed/s', 'Rows/s', 'Rows/batch'),
  ...MEANS,
];
const BATCH_COLUMNS = [...NAMES, ...numbers('Rows of a batch', 'Batches', 'Compute')];

export function countsText(models: readonly ModelCounts[]): string {
  const rows = models.map((model) => {
    const { name, version, requests, failures, rows, batches } = model;
    return [
      name,
      version,
      requests,
      failures,
      rows,
      batches,
      figures(rows / batches),
      ...means(model),
    ];
  });
  return table(COUNT_COLUMNS, rows);
}

/** '' when no batch has been executed. */
export function batchSizesText(models: readonly ModelCounts[]): string {
  const rows = models.flatMap(({ name, version, batchSizes }) =>
    batchSizes.map(({ rows, compute }) => [name, version, rows, compute.count, duration(compute)]),
  );
  return rows.length === 0 ? '' : table(BATCH_COLUMNS, rows);
}

export function ratesText(models: readonly ModelCounts[], seconds: number): string {
  const rows = models.map((model) => {
    const { name, version, requests, failures, rows, batches } = model;
    const rates = [requests, failures, rows].map((count) => figures(count / seconds));
    return [name, version, ...rates, figures(rows / batches), ...means(model)];
  });
  return table(RATE_COLUMNS, rows);
}

export function countsJson(model: ModelCounts): object {
  const { name, version, requests, failures, rows, batches, lastRequest } = model;
  return {
    name,
    version,
    requests,
    failures,
    rows,
    batches,
    rowsPerBatch: orNull(rows / batches),
    lastRequest: timeOf(lastRequest),
    meanUs: meansJson(model),
    batchSizes: model.batchSizes.map(({ rows, compute }) => ({
      rows,
      batches: compute.count,
      computeUs: orNull(meanMs(compute) * 1000),
    })),
  };
}

export function ratesJson(model: ModelCounts, seconds: number): object {
  const { name, version, requests, failures, rows, batches } = model;
  return {
    name,
    version,
    requestsPerSecond: orNull(requests / seconds),
    failuresPerSecond: orNull(failures / seconds),
    rowsPerSecond: orNull(rows / seconds),
    rowsPerBatch: orNull(rows / batches),
    meanUs: meansJson(model),
  };
}

// ---- details below; callers need not read ----

function numbers(...titles: string[]): Column[] {
  return titles.map((title) => ({ title, align: 'right' }));
}

/** Per request: waiting, on the instance with all that belongs to it, and from arrival to answer. */
function means(model: ModelCounts): string[] {
  const { queue, input, compute, output, requests, totalMs } = model;
  const onInstance = meanMs(input) + meanMs(compute) + meanMs(output);
  return [duration(queue), durationText(onInstance), durationText(totalMs / requests)];
}

function meansJson({ queue, input, compute, output, requests, totalMs }: ModelCounts): object {
  const us = (sum: Sum): number | null => orNull(meanMs(sum) * 1000);
  return {
    queue: us(queue),
    input: us(input),
    compute: us(compute),
    output: us(output),
    total: orNull((totalMs / requests) * 1000),
  };
}

function duration(sum: Sum): string {
  return durationText(meanMs(sum));
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value * 1000) / 1000 : null;
}

/** Null for never, and for what is no time. */
function timeOf(ms: number): string | null {
  const time = new Date(ms);
  return ms === 0 || Number.isNaN(time.getTime()) ? null : time.toISOString();
}
