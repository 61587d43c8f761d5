// What a server tells of itself and its models: the messages of proto/ with the names of JavaScript.

import type { DataType } from './data-type.js';

/** UNKNOWN comes from servers that have just started; SERVICE_UNKNOWN only from `watchHealth`. */
export type HealthStatus = 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

export interface TensorMetadata {
  readonly name: string;
  readonly datatype: DataType;
  /** -1 stands for any size. */
  readonly shape: readonly number[];
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  /** What the model.json of the version says, flattened: 'metrics.accuracy'. Of inferd; empty from other servers. */
  readonly properties: Readonly<Record<string, string>>;
}

/** The fields that most ask for; the others are there, too, under the camelCase names of model_config.proto. */
export interface ModelConfig {
  readonly name: string;
  readonly platform: string;
  readonly backend: string;
  readonly maxBatchSize: number;
  readonly input: readonly (TensorConfig & { readonly optional: boolean })[];
  readonly output: readonly (TensorConfig & { readonly labelFilename: string })[];
  readonly [field: string]: unknown;
}

/** file: config.pbtxt. load call: its `config`. model: read from the model itself. default: nobody said anything. */
export type ConfigOrigin = 'file' | 'load call' | 'model' | 'default';

export interface ExplainedModelConfig {
  readonly config: ModelConfig;
  /** Of every value, by its path with the names of model_config.proto: 'input[0].dims'. Of inferd; empty from other servers. */
  readonly origins: Readonly<Record<string, ConfigOrigin>>;
}

export interface TensorConfig {
  readonly name: string;
  /** Such as 'TYPE_FP32'. */
  readonly dataType: string;
  /** Without the dimension of the batch. */
  readonly dims: readonly number[];
}

/** Sums over all counted events. */
export interface DurationStatistics {
  readonly count: number;
  readonly ns: number;
}

export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since 1970; 0: never. */
  readonly lastInference: number;
  /** Rows. */
  readonly inferenceCount: number;
  /** Batches. */
  readonly executionCount: number;
  readonly inferenceStats: {
    readonly success: DurationStatistics;
    readonly fail: DurationStatistics;
    readonly queue: DurationStatistics;
    readonly computeInput: DurationStatistics;
    readonly computeInfer: DurationStatistics;
    readonly computeOutput: DurationStatistics;
    readonly cacheHit: DurationStatistics;
    readonly cacheMiss: DurationStatistics;
  };
  readonly batchStats: readonly {
    readonly batchSize: number;
    readonly computeInput: DurationStatistics;
    readonly computeInfer: DurationStatistics;
    readonly computeOutput: DurationStatistics;
  }[];
}

export interface IndexedModel {
  readonly name: string;
  readonly version: string;
  /** Empty for a model that was never loaded. */
  readonly state: 'READY' | 'UNAVAILABLE' | 'LOADING' | 'UNLOADING' | '';
  /** Why it is not ready. */
  readonly reason: string;
  /** As in ModelMetadata, while it is READY. */
  readonly properties: Readonly<Record<string, string>>;
  /**
   * Why the last attempt to load it failed, of a version that is READY and serves what it served before, or of a model that was
   * never loaded; else ''. Of inferd.
   */
  readonly loadFailure: string;
}
