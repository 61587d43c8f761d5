// PORT: where the data plane finds models, implemented by the repository. Texts of failures are Triton's.

import type { ModelStatistics } from './model-statistics.js';
import type { CustomMetrics } from './custom-metrics.js';
import type { DataType } from './data-type.js';
import type { PipelineNode } from './pipeline-node.js';
import type { Servable } from './servable.js';

/** A tensor of a model as its users see it: the batch dimension, where there is one, is the leading -1. */
export interface TensorMetadata {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
}

/** One version of a model that is ready. */
export interface ServedModel {
  readonly name: string;
  readonly version: number;
  readonly platform: string;
  /** max_batch_size > 0: the first dimension of every tensor is the batch. */
  readonly batched: boolean;
  /** A request may be answered any number of times, each answer on its own; otherwise exactly once. */
  readonly decoupled?: boolean;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  /** Class names by output, for outputs that have a label file. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
  /** The completed configuration as a plain message of type inference.ModelConfig. */
  readonly configMessage: Readonly<Record<string, unknown>>;
  /** Where the values of the configuration come from, by path such as "input[0].dims"; worked out when asked. */
  configOrigins?(): ReadonlyMap<string, string>;
  readonly statistics: ModelStatistics;
  /** What its code counts; undefined: it has none. */
  readonly customMetrics?: CustomMetrics;
  /** How it is put together, with live figures; undefined: it is one model and nothing around it. */
  readonly pipeline?: PipelineNode;
  /** What its model.json says, flattened: "metrics.accuracy" → "0.99"; undefined where there is none. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** Holds a version in memory until released; release exactly once. */
export interface ServableHandle {
  readonly model: ServedModel;
  readonly servable: Servable;
  release(): void;
}

export interface ModelCatalog {
  /**
   * The version named, or with '' the highest that is ready.
   * @throws RuntimeError INVALID_ARGUMENT (no version number), NOT_FOUND (no such model or version) or MODEL_NOT_READY
   */
  acquire(name: string, version: string): ServableHandle;

  /** False also for what is unknown. @throws RuntimeError INVALID_ARGUMENT when `version` is no version number */
  isReady(name: string, version: string): boolean;

  /** Whether any repository has, or the server has loaded, a model of this name. */
  isKnown(name: string): boolean;

  /** Every version of `name` that is ready, ascending; of all models when `name` is ''. */
  readyVersions(name: string): readonly ServedModel[];

  /** Calls `listener` after models became ready or stopped being so; returns what ends that. */
  onChange(listener: () => void): () => void;
}
