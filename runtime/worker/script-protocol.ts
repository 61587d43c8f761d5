// What crosses between the main thread and the thread of a TypeScript model. Types only: both sides switch over `kind`.

import type { MetricUpdate } from '../core/custom-metrics.js';
import type { ErrorCode } from '../core/errors.js';
import type { DataType } from '../core/data-type.js';
import type { ParameterValue } from '../core/inference.js';
import type { PackedTensors } from '../core/packed-tensors.js';

/** A model as its thread is told of it, once. */
export interface ScriptToLoad {
  readonly model: string;
  readonly version: number;
  /** Of the version. */
  readonly directory: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly batched: boolean;
  readonly maxBatchSize: number;
  readonly decoupled: boolean;
  readonly outputs: readonly ScriptOutputSpec[];
  readonly bundle: ScriptBundle;
}

export interface ScriptOutputSpec {
  readonly name: string;
  readonly dataType: DataType;
  /** Without the batch dimension; -1: any size. */
  readonly dims: readonly number[];
}

/** model.ts and the files beside it that it imports, as one JavaScript module. */
export interface ScriptBundle {
  /** "model.ts" */
  readonly filename: string;
  readonly code: string;
  /** Source map, JSON; its sources are relative to the version directory. */
  readonly map: string;
}

export interface ScriptRequest {
  readonly id: string;
  readonly parameters: ReadonlyMap<string, ParameterValue>;
  /** Never empty. */
  readonly outputs: readonly string[];
  readonly rows: number;
  /** The step of a sequence that it is; undefined: the model has no sequences. */
  readonly sequence: SequenceStep | undefined;
}

export interface SequenceStep {
  readonly id: number | bigint | string;
  /** Tells the sequence from others that have its id before or after it. */
  readonly serial: number;
  readonly start: boolean;
  readonly end: boolean;
}

/** To the thread. What has a `task` is answered exactly once, by a ScriptOutput with the same. */
export type ScriptInput =
  | { readonly kind: 'load'; readonly task: number; readonly script: ScriptToLoad }
  /** `tensors`: a list for each request. */
  | {
      readonly kind: 'execute';
      readonly task: number;
      readonly requests: readonly ScriptRequest[];
      readonly tensors: PackedTensors;
    }
  | { readonly kind: 'finalize'; readonly task: number }
  /** A sequence is over, by its serial number. */
  | { readonly kind: 'forget'; readonly sequence: number }
  /** Nobody waits for the answers of a stream any more. */
  | { readonly kind: 'cancel'; readonly task: number }
  /** Answers of a stream have been read, or are about to be: of so much in all (unreadShare). */
  | { readonly kind: 'taken'; readonly task: number; readonly share: number }
  /** What another model has answered. */
  | { readonly kind: 'inferred'; readonly call: number; readonly answer: NestedAnswer };

export type NestedAnswer =
  | { readonly model: string; readonly version: number; readonly tensors: PackedTensors }
  | ScriptFailure;

export interface ScriptFailure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What the thread says comes in this: the model's code, or a package of it, may post to the same port what it likes. */
export interface ScriptEnvelope {
  readonly inferd: ScriptOutput;
}

export type ScriptOutput =
  | { readonly kind: 'done'; readonly task: number }
  | ExecutedOutput
  /** One of the answers of a stream. */
  | { readonly kind: 'streamed'; readonly task: number; readonly tensors: PackedTensors }
  /** The whole task has failed. */
  | { readonly kind: 'failed'; readonly task: number; readonly failure: ScriptFailure }
  | {
      readonly kind: 'infer';
      /** For which this is asked. */
      readonly task: number;
      readonly call: number;
      /** Of the task; -1: for all of them. */
      readonly request: number;
      readonly model: string;
      /** 0: the latest. */
      readonly version: number;
      readonly outputs: readonly string[];
      readonly tensors: PackedTensors;
    }
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'metrics'; readonly updates: readonly MetricUpdate[] };

export interface ExecutedOutput {
  readonly kind: 'executed';
  readonly task: number;
  /** A list for each request; empty where it has failed. */
  readonly tensors: PackedTensors;
  /** By index of the request. */
  readonly failures: ReadonlyMap<number, ScriptFailure>;
  readonly inputMs: number;
  readonly inferMs: number;
  readonly outputMs: number;
}
