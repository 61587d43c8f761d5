// How the requests of one model become a batch and a result becomes their responses: chosen once, so that a model without ragged
// inputs pays nothing for those of others.

import type { ModelConfig } from '../config/model-config.js';
import type { InferenceResponse } from '../core/inference.js';
import { mergeBatch, splitBatch } from './batch.js';
import type { BatchFeed, BatchResult } from './batch-runner.js';
import type { MergedEntry } from './output-cut.js';
import { mergeRaggedBatch, splitRaggedBatch } from './ragged-batch.js';

export interface BatchForm {
  /** @throws RangeError when the batch is too large for one buffer */
  merge(entries: readonly MergedEntry[]): BatchFeed;
  /** The response of each entry, in their order. @throws RuntimeError BACKEND_FAILED when an output cannot be divided */
  split(
    version: string,
    batch: {
      readonly entries: readonly MergedEntry[];
      readonly rows: number;
      readonly result: BatchResult;
    },
  ): InferenceResponse[];
}

export function batchFormOf(config: ModelConfig): BatchForm {
  const { ragged } = config;
  if (!ragged) {
    return {
      merge: (entries) => mergeBatch(config, entries),
      split: (version, batch) => splitBatch(config, version, batch),
    };
  }
  const raggedConfig = { ...config, ragged };
  return {
    merge: (entries) => mergeRaggedBatch(raggedConfig, entries),
    split: (version, batch) => splitRaggedBatch(raggedConfig, version, batch),
  };
}
