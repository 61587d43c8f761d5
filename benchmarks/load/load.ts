// PORT: what sends the requests, in a process of its own. All of them are sent as fast as answers come.

import type { Point } from '../works/work.js';

export interface LoadTask {
  readonly port: number;
  /** A file with the body of every request, framed as gRPC does. */
  readonly bodyFile: string;
  readonly point: Point;
  readonly requests: number;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface Loader {
  readonly name: string;
  /** @throws Error when not every request was answered */
  run(task: LoadTask): Promise<LoadResult>;
}

export const INFER_PATH = '/inference.GRPCInferenceService/ModelInfer';
