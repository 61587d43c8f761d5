// What crosses between the main thread and an executor thread. Types only: both sides switch over `kind`.

import type { SessionSettings } from '../config/session-settings.js';
import type { ErrorCode } from '../core/errors.js';
import type { TensorMetadata } from '../core/model-catalog.js';

export type WorkerInput =
  DescribeInput | LoadInput | BindInput | RunInput | ReleaseInput | CollectInput;

export type ExecutionProvider = 'cpu' | 'cuda' | 'webgpu';

/** Reads what the file of a model declares. The answer is a DescribeOutput. */
export interface DescribeInput {
  readonly kind: 'describe';
  readonly modelPath: string;
}

/** Makes a session. The answer is a LoadOutput. */
export interface LoadInput {
  readonly kind: 'load';
  /** Chosen by the main thread, unique in the process. */
  readonly session: number;
  readonly modelPath: string;
  readonly settings: SessionSettings;
  /** Tried in this order. */
  readonly providers: readonly ExecutionProvider[];
  readonly deviceId: number;
  readonly intraOpThreads: number;
}

/** Says which tensors later runs bring and want, in which order. The answer is a DoneOutput. */
export interface BindInput {
  readonly kind: 'bind';
  readonly session: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Runs a session on the tensors in `buffer`. The answer is a RunOutput. */
export interface RunInput {
  readonly kind: 'run';
  readonly session: number;
  readonly buffer: ArrayBuffer;
  /** In the order of the binding. */
  readonly inputs: readonly RunTensor[];
}

export interface RunTensor {
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly shape: readonly number[];
}

/** Frees a session; one that is unknown is no error. The answer is a DoneOutput. */
export interface ReleaseInput {
  readonly kind: 'release';
  readonly session: number;
}

/** Collects garbage. The answer is a DoneOutput. */
export interface CollectInput {
  readonly kind: 'collect';
}

export interface DescribeOutput {
  readonly kind: 'describe';
  /** Undefined where only a session can tell. */
  readonly tensors:
    | { readonly inputs: readonly TensorMetadata[]; readonly outputs: readonly TensorMetadata[] }
    | undefined;
}

export interface LoadOutput {
  readonly kind: 'load';
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  readonly provider: ExecutionProvider;
  /** Why the providers before it were not taken. */
  readonly refusals: readonly string[];
}

export interface RunOutput {
  readonly kind: 'run';
  /** In the order of the binding. */
  readonly outputs: readonly { readonly shape: readonly number[]; readonly data: Uint8Array }[];
  readonly inputMs: number;
  readonly inferMs: number;
  readonly outputMs: number;
}

export interface DoneOutput {
  readonly kind: 'done';
}

/** An error as it crosses; revived by instance/model-instance.ts. */
export interface ErrorOutput {
  readonly kind: 'error';
  readonly code: ErrorCode;
  readonly message: string;
}

export type WorkerOutput = DescribeOutput | LoadOutput | RunOutput | DoneOutput | ErrorOutput;

/** What a new thread is told. */
export interface WorkerSettings {
  /** ONNX Runtime writes its own log to stderr from this level on: 0 verbose … 4 fatal only. */
  readonly ortLogLevel: 0 | 1 | 2 | 3 | 4;
}
