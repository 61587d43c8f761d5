// PORT: how code that runs inside a model asks other models, implemented by the pipelines.

import type { Call } from './call.js';
import type { InferenceResponse } from './inference.js';
import type { Tensor } from './tensor.js';

export interface AskedModel {
  readonly name: string;
  /** 0: the latest that is ready. */
  readonly version: number;
  readonly inputs: readonly Tensor[];
  /** Empty: all. */
  readonly outputs: readonly string[];
}

export interface OtherModels {
  /**
   * Asks under a child of `parent`: due when that is, given up when that is cancelled. `callers` are the calls that wait for it, and are
   * told of the leg. @throws RuntimeError, as a rejection
   */
  ask(asked: AskedModel, parent: Call, callers: readonly Call[]): Promise<InferenceResponse>;
}
