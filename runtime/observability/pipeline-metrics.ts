// The metrics of how models ask each other: of every node of a pipeline (core/pipeline-node) that counts. Nothing is counted here.
// docs/metrics.md explains each; a test keeps the two equal.

import type { PipelineCounter, PipelineNode } from '../core/pipeline-node.js';
import { labelValue, type MetricFamily, type SampleWriter } from './metric-family.js';

/** A node and its labels: where it is in the tree, what it does, which model it asks. */
export interface LabelledNode {
  readonly node: PipelineNode;
  readonly labels: string;
}

export type PipelineMetric = MetricFamily<LabelledNode>;

/** The nodes of a tree, from the root. */
export function labelledNodes(root: PipelineNode): LabelledNode[] {
  return nodesBelow(root, '');
}

export const PIPELINE_METRICS: readonly PipelineMetric[] = [
  {
    name: 'inferd_leg_requests_total',
    help: 'Requests that a part of a pipeline sent on and that have ended, by what became of them',
    type: 'counter',
    write: (to, { node: { figures }, labels }) => {
      if (!figures) return;
      const { answered, failed, timedOut, abandoned } = figures;
      to.sample(answered, `${labels},outcome="answered"`);
      to.sample(failed - timedOut, `${labels},outcome="failed"`);
      to.sample(timedOut, `${labels},outcome="timed_out"`);
      to.sample(abandoned, `${labels},outcome="abandoned"`);
    },
  },
  {
    name: 'inferd_leg_rows_total',
    help: 'Rows of the requests that a part of a pipeline sent on',
    type: 'counter',
    write: (to, { node: { figures }, labels }) => {
      if (figures) to.sample(figures.rows, labels);
    },
  },
  {
    name: 'inferd_leg_duration_us_total',
    help: 'Time from sending a request on to its answer, in microseconds, of those that were answered',
    type: 'counter',
    write: (to, { node: { figures }, labels }) => {
      if (figures) to.sample(Math.round(figures.totalMs * 1000), labels);
    },
  },
  {
    name: 'inferd_pipeline_events_total',
    help: 'What else happened in a part of a pipeline: rows that left a cascade, hedges, retries, fallbacks, refusals of a breaker',
    type: 'counter',
    write: (to, { node: { counters = [] }, labels }) => {
      for (const counter of counters) writeCounter(to, counter, labels);
    },
  },
  {
    name: 'inferd_pipeline_state',
    help: '1 for the state that a part of a pipeline is in, where parts of its kind have states (circuit breakers, endpoints)',
    type: 'gauge',
    write: (to, { node, labels }) => {
      if (node.state) to.sample(1, `${labels},state="${labelValue(node.state())}"`);
    },
  },
];

// ---- details below; callers need not read ----

function nodesBelow(node: PipelineNode, above: string): LabelledNode[] {
  const path = above === '' ? placeOf(node) : `${above}/${placeOf(node)}`;
  const target = node.model ? `,target="${labelValue(targetOf(node.model))}"` : '';
  const labels = `,part="${labelValue(path)}",kind="${node.kind}"${target}`;
  return [{ node, labels }, ...node.children.flatMap((child) => nodesBelow(child, path))];
}

/** "step 0"; the kind alone where there is only one. */
function placeOf({ kind, name }: PipelineNode): string {
  return name === '' ? kind : `${kind} ${name}`;
}

function targetOf({ name, version }: { readonly name: string; readonly version: number }): string {
  return version > 0 ? `${name}:${version}` : name;
}

function writeCounter(
  to: SampleWriter,
  { name, labels, value }: PipelineCounter,
  node: string,
): void {
  const more = Object.entries(labels).map(([key, text]) => `,${key}="${labelValue(text)}"`);
  to.sample(value, `${node},event="${name}"${more.join('')}`);
}
