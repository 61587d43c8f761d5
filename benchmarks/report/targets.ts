// What is wanted of the server, and whether a run shows it.

import type { PointResult } from './result.js';

interface Target {
  readonly work: string;
  readonly point: string;
  readonly of: 'echo' | 'ORT';
  readonly atLeast: number;
}

const TARGETS: readonly Target[] = [
  { work: 'tiny', point: '4x16', of: 'echo', atLeast: 0.7 },
  { work: 'mid', point: '4x16', of: 'ORT', atLeast: 0.95 },
];

/** A sentence for each target whose point was measured. */
export function verdicts(points: readonly PointResult[]): string[] {
  return TARGETS.flatMap(({ work, point, of, atLeast }) => {
    const figures = points.find((it) => it.work === work && it.point === point)?.figures;
    const ratio = of === 'echo' ? figures?.toEcho.median : figures?.ort?.ratio.median;
    if (ratio === undefined) return [];
    const what = of === 'echo' ? 'the echo' : 'the loop over ONNX Runtime';
    const end = ratio >= atLeast ? 'met' : 'missed';
    return [`${work} ${point}: ${ratio.toFixed(2)} of ${what}, wanted ${atLeast}: ${end}`];
  });
}
