// The tree of a pipeline for people: drawn with its figures, or as a graph for Mermaid or Graphviz. Pure.

import type { LegFigures, ModelPipeline, PipelineNode } from 'inferd-client';
import { durationText } from './duration-text.js';
import { printable } from './printable.js';

/** A line a part, its figures beside it. Ends in a line feed. */
export function pipelineTree({ name, version, root }: ModelPipeline): string {
  const lines = [...linesOf(root, { first: '', rest: '' })];
  const width = Math.max(...lines.map(({ text }) => text.length));
  const drawn = lines.map(({ text, more }) => `${text.padEnd(width)}  ${more}`.trimEnd());
  return printableLines([`${name} version ${version}`, ...drawn]);
}

/** https://mermaid.js.org/syntax/flowchart.html */
export function pipelineMermaid(pipeline: ModelPipeline): string {
  const { nodes, arrows } = graphOf(pipeline);
  const labels = nodes.map(({ id, lines }) => `  ${id}["${lines.map(escaped).join('<br>')}"]`);
  return printableLines([
    'flowchart LR',
    ...labels,
    ...arrows.map(([from, to]) => `  ${from} --> ${to}`),
  ]);
}

/** https://graphviz.org/doc/info/lang.html */
export function pipelineDot(pipeline: ModelPipeline): string {
  const { nodes, arrows } = graphOf(pipeline);
  const quoted = (text: string): string => text.replace(/[\\"]/g, '\\$&');
  const labels = nodes.map(
    ({ id, lines }) => `  ${id} [label="${lines.map(quoted).join('\\n')}"];`,
  );
  return printableLines([
    `digraph "${quoted(`${pipeline.name}:${pipeline.version}`)}" {`,
    '  rankdir=LR; node [shape=box];',
    ...labels,
    ...arrows.map(([from, to]) => `  ${from} -> ${to};`),
    '}',
  ]);
}

// ---- details below; callers need not read ----

interface Line {
  readonly text: string;
  readonly more: string;
}

/** What stands before the lines of a branch. */
interface Stem {
  readonly first: string;
  readonly rest: string;
}

function* linesOf(node: PipelineNode, { first, rest }: Stem): Generator<Line> {
  yield { text: first + titleOf(node), more: factsOf(node).join(' · ') };
  for (const { name, labels, value } of node.counters) {
    const words = Object.values(labels).filter((word) => word !== '');
    const stem = rest + (node.children.length > 0 ? '│  ' : '   ');
    yield { text: `${stem}${[name, ...words].join(' ')}`, more: count(value) };
  }
  for (const [index, child] of node.children.entries()) {
    const isLast = index === node.children.length - 1;
    yield* linesOf(child, {
      first: rest + (isLast ? '└─ ' : '├─ '),
      rest: rest + (isLast ? '   ' : '│  '),
    });
  }
}

/** "step 0  double:2". */
function titleOf({ kind, name, model }: PipelineNode): string {
  const target = model && (model.version === '' ? model.name : `${model.name}:${model.version}`);
  const isSaid = name === '' || name === model?.name || name === target;
  const place = isSaid ? kind : `${kind} ${name}`;
  return target ? `${place}  ${target}` : place;
}

function factsOf({ figures, state, settings }: PipelineNode): string[] {
  return [
    ...(state === '' ? [] : [state]),
    ...Object.entries(settings).map(([key, value]) => `${key} ${value}`),
    ...(figures ? figuresText(figures) : []),
  ];
}

/** What did not happen is left out. */
function figuresText(figures: LegFigures): string[] {
  const { sent, answered, failed, timedOut, abandoned, rows } = figures;
  const parts: [number, string][] = [
    [failed - timedOut, 'failed'],
    [timedOut, 'timed out'],
    [abandoned, 'given up'],
    [rows === sent ? 0 : rows, 'rows'],
  ];
  const rest = parts
    .filter(([value]) => value > 0)
    .map(([value, what]) => `${count(value)} ${what}`);
  const times =
    figures.p50Microseconds > 0
      ? [
          `p50 ${durationText(figures.p50Microseconds / 1000)}`,
          `p99 ${durationText(figures.p99Microseconds / 1000)}`,
        ]
      : answered > 0
        ? [`mean ${durationText(figures.meanMicroseconds / 1000)}`]
        : [];
  return [`${count(sent)} sent`, ...rest, ...times];
}

interface Graph {
  readonly nodes: { readonly id: string; readonly lines: readonly string[] }[];
  readonly arrows: [from: string, to: string][];
}

function graphOf({ name, version, root }: ModelPipeline): Graph {
  const graph: Graph = { nodes: [], arrows: [] };
  const add = (node: PipelineNode, title: readonly string[]): string => {
    const id = `n${graph.nodes.length}`;
    const counters = node.counters.map(
      (counter) =>
        `${[counter.name, ...Object.values(counter.labels)].join(' ')}: ${count(counter.value)}`,
    );
    graph.nodes.push({ id, lines: [...title, ...factsOf(node), ...counters] });
    const ids = new Map<string, string>();
    for (const child of node.children) ids.set(child.name, add(child, [titleOf(child)]));
    for (const { name: to, after } of node.children) {
      const sources = after.length > 0 ? after.map((sibling) => ids.get(sibling) ?? id) : [id];
      for (const source of sources) graph.arrows.push([source, ids.get(to)!]);
    }
    return id;
  };
  add(root, [`${name}:${version}`, titleOf(root)]);
  return graph;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
}

/** What models are called and configured with comes from elsewhere. */
function printableLines(lines: readonly string[]): string {
  return lines.map((line) => `${printable(line)}\n`).join('');
}
