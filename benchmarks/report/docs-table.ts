// The part of docs/benchmarks.md that a run writes: between two comments, so that the rest is people's.

import type { BenchResult } from './result.js';
import { disturbances, resultTable } from './result-table.js';
import { verdicts } from './targets.js';
import { markdownTable } from './text-table.js';

const START = '<!-- written by `npm run bench -- --docs` -->';
const END = '<!-- end -->';

/** The document with the figures of this run instead of those it had. @throws Error when it has no place for them */
export function withFigures(document: string, result: BenchResult): string {
  const from = document.indexOf(START);
  const to = document.indexOf(END, from);
  if (from < 0 || to < 0) throw new Error(`the document has no ${START} … ${END}`);
  return `${document.slice(0, from)}${START}\n\n${figuresText(result)}\n\n${document.slice(to)}`;
}

function figuresText(result: BenchResult): string {
  const { processor, cores, node, grpcJs, onnxRuntime } = result.machine;
  const titles = new Map(result.points.map(({ work, title }) => [work, title]));
  const works = [...titles].map(([work, title]) => `\`${work}\`: ${title}`).join('. ');
  const disturbed = disturbances(result.points);
  return [
    `${result.date.slice(0, 10)}, ${processor}, ${cores} cores, Node.js ${node}, @grpc/grpc-js ${grpcJs}, onnxruntime-node ` +
      `${onnxRuntime}, load by ${result.loader}, medians of ${result.repetitions} (lowest–highest).`,
    `${works}.`,
    markdownTable(resultTable(result.points)).trimEnd(),
    [...verdicts(result.points), ...result.skipped].map((line) => `- ${line}`).join('\n'),
    disturbed.length === 0
      ? 'No other process kept more than a tenth of a core busy.'
      : `Disturbed:\n\n${disturbed.map((line) => `- ${line}`).join('\n')}`,
  ].join('\n\n');
}
