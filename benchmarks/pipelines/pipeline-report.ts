// What the visits to a single model and to an ensemble say.

import type { Outcome } from '../command/outcome.js';
import { median, ratioOf } from '../median.js';
import { atLeast, shortNumber } from '../report/claim.js';

/** Requests per second, one visit after the other. */
export interface Pair {
  readonly single: number;
  readonly ensemble: number;
}

const LEAST_RATIO = 0.6;

export function pipelineOutcome(pairs: readonly Pair[], loader: string): Outcome {
  const single = pairs.map((pair) => pair.single);
  const ensemble = pairs.map((pair) => pair.ensemble);
  const ratio = ratioOf(ensemble, single);
  const row = (name: string, values: readonly number[]): string[] => [
    name,
    shortNumber(Math.round(median(values))),
  ];
  return {
    tables: [
      {
        head: ['4 connections × 16 requests', 'requests/s'],
        rows: [row('a tiny model', single), row('an ensemble of two such models', ensemble)],
      },
    ],
    notes: [
      `Medians of ${pairs.length} pairs of visits, loaded by ${loader}; the ratios are from ${shortNumber(ratio.lowest)} to ` +
        `${shortNumber(ratio.highest)}.`,
    ],
    claims: [atLeast('ensemble ÷ single model', ratio.median, LEAST_RATIO)],
    figures: { pairs, ratio },
  };
}
