// The figures of docs/benchmarks.md that a run writes.

import { measuredOn } from './machine.js';
import type { BenchResult } from './result.js';
import { disturbances, resultTable } from './result-table.js';
import { verdicts } from './targets.js';
import { markdownTable } from './text-table.js';
import { withSection } from './written-section.js';

/** The document with the figures of this run instead of those it had. @throws Error when it has no place for them */
export function withFigures(document: string, result: BenchResult): string {
  return withSection(document, 'bench', figuresText(result));
}

function figuresText(result: BenchResult): string {
  const titles = new Map(result.points.map(({ work, title }) => [work, title]));
  const works = [...titles].map(([work, title]) => `\`${work}\`: ${title}`).join('. ');
  const disturbed = disturbances(result.points);
  return [
    `${measuredOn(result)}, load by ${result.loader}, medians of ${result.repetitions} (lowest–highest).`,
    `${works}.`,
    markdownTable(resultTable(result.points)).trimEnd(),
    [...verdicts(result.points), ...result.skipped].map((line) => `- ${line}`).join('\n'),
    disturbed.length === 0
      ? 'No other process kept more than a tenth of a core busy.'
      : `Disturbed:\n\n${disturbed.map((line) => `- ${line}`).join('\n')}`,
  ].join('\n\n');
}
