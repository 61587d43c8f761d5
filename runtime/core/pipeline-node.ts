// How a model is put together, as people see it: a tree of what asks what, with figures that are counted as requests pass. What counts
// holds its node and writes plain fields; who looks (metrics, inferd.v1.Control) walks the tree.

import type { LegFigures } from './leg.js';

/** What a node does. */
export type PipelineKind =
  | 'ensemble'
  | 'step'
  | 'cascade'
  | 'stage'
  | 'model'
  | 'remote'
  | 'endpoint'
  | 'concurrency-limit'
  | 'timeout'
  | 'fallback'
  | 'fallback-target'
  | 'circuit-breaker'
  | 'retry'
  | 'hedge';

/** The model a node asks. Version 0: the latest. */
export interface ModelReference {
  readonly name: string;
  readonly version: number;
}

/** Something counted besides requests, such as the exits of a cascade by rule. */
export class PipelineCounter {
  value = 0;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;

  constructor(name: string, labels: Readonly<Record<string, string>> = {}) {
    this.name = name;
    this.labels = labels;
  }
}

export interface PipelineNode {
  readonly kind: PipelineKind;
  /** One among its siblings, for instance '0' for the first step. */
  readonly name: string;
  readonly model?: ModelReference;
  /** Of the requests that came through here; absent where a node passes on what its parent counts. */
  readonly figures?: LegFigures;
  readonly counters?: readonly PipelineCounter[];
  /** In which of a few states it is now, for instance 'OPEN'; where nodes of this kind have states. It is a label of a metric. */
  state?(): string;
  /** What it was configured with, for people: "delay 5 ms", "0.9 < score". */
  readonly settings?: Readonly<Record<string, string>>;
  readonly children: readonly PipelineNode[];
  /** Names of the siblings it waits for, as the steps of an ensemble do. */
  readonly after?: readonly string[];
}
