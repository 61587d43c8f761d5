// The figures of a run as a table for people.

import { milliseconds, ratioText } from './figure-text.js';
import type { PointResult } from './result.js';
import type { TextTable } from './text-table.js';

const HEAD = [
  'work, connections × streams',
  'req/s',
  'of echo',
  'of ORT',
  'batch',
  'p50 ms',
  'p99 ms',
  'CPU µs',
  'echo req/s',
  'echo p50 ms',
  'echo p99 ms',
  'echo CPU µs',
];

export function resultTable(points: readonly PointResult[]): TextTable {
  return { head: HEAD, rows: points.map(resultRow) };
}

export function resultRow({ work, point, figures, error }: PointResult): string[] {
  const name = `${work} ${point.replace('x', '×')}`;
  if (!figures) return [name, `error: ${error ?? ''}`, ...Array<string>(HEAD.length - 2).fill('')];
  const { echo, inferd, toEcho, ort, meanBatch } = figures;
  return [
    name,
    count(inferd.requestsPerSecond),
    ratioText(toEcho),
    ort ? ratioText(ort.ratio) : '',
    meanBatch.toFixed(1),
    milliseconds(inferd.p50Us / 1000),
    milliseconds(inferd.p99Us / 1000),
    microseconds(inferd.cpuUs),
    count(echo.requestsPerSecond),
    milliseconds(echo.p50Us / 1000),
    milliseconds(echo.p99Us / 1000),
    microseconds(echo.cpuUs),
  ];
}

/** Points during which other processes used more of the machine than this, in cores, are told. */
const TOLERATED_CORES = 0.1;

/** A sentence about each point that was disturbed. */
export function disturbances(points: readonly PointResult[]): string[] {
  return points.flatMap(({ work, point, figures }) => {
    const cores = figures?.othersCores ?? 0;
    if (cores <= TOLERATED_CORES) return [];
    return [`${work} ${point}: other processes kept ${cores.toFixed(2)} cores busy`];
  });
}

// ---- details below; callers need not read ----

/** Three digits at least, and nothing that the spread of measurements makes meaningless. */
function count(perSecond: number): string {
  return perSecond < 100 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString('en-US');
}

function microseconds(us: number | undefined): string {
  if (us === undefined) return '–';
  return us < 100 ? us.toFixed(0) : count(Math.round(us));
}
