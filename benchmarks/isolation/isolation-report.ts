// Whether a slow model is felt by the callers of tiny ones.

import type { Outcome } from '../command/outcome.js';
import { median, type Ratio } from '../median.js';
import { atMost } from '../report/claim.js';
import { milliseconds, ratioText } from '../report/figure-text.js';
import type { IsolationFigures, TinyIsolation } from './measure-isolation.js';
import type { TinyFigures } from './tiny-load.js';

export interface Arrangement {
  readonly name: string;
  readonly figures: IsolationFigures;
}

const MOST_P99 = 3;

export function isolationOutcome(arrangements: readonly Arrangement[], note: string): Outcome {
  const rows = arrangements.flatMap(({ name, figures }) =>
    figures.models.map((model) => row(name, figures, model)),
  );
  const head = ['', 'p50 alone', 'p50 beside', 'p99 alone', 'p99 beside', 'p99 beside ÷ alone'];
  return {
    tables: [{ head, rows }],
    notes: [note, ...arrangements.map(slowText)],
    claims: arrangements.map(({ name, figures }) =>
      atMost(`${name}: p99 ÷ p99 alone, the worst`, worst(figures).median, MOST_P99),
    ),
    figures: arrangements,
  };
}

// ---- details below; callers need not read ----

function row(name: string, { sharedAtFirst }: IsolationFigures, it: TinyIsolation): string[] {
  const ms = (windows: readonly TinyFigures[], key: 'p50Ms' | 'p99Ms'): string =>
    milliseconds(median(windows.map((window) => window[key])));
  const shared = sharedAtFirst.includes(it.model) ? ' (shared at first)' : '';
  return [
    `${name}: ${it.model}${shared}`,
    ms(it.alone, 'p50Ms'),
    ms(it.beside, 'p50Ms'),
    ms(it.alone, 'p99Ms'),
    ms(it.beside, 'p99Ms'),
    ratioText(it.p99),
  ];
}

function worst({ models }: IsolationFigures): Ratio {
  return models.map(({ p99 }) => p99).reduce((a, b) => (a.median >= b.median ? a : b));
}

function slowText({ name, figures }: Arrangement): string {
  const { slowPerSecond, sharedAtFirst } = figures;
  return `${name}: ${slowPerSecond.toFixed(1)} answers/s of the slow model, whose thread ${sharedAtFirst.length} tiny models shared at first.`;
}
