// Many requests -> one feed, and one result -> many responses. mergeBatch makes the only copy of input bytes between the
// socket and ONNX Runtime; responses are views on the result, copied when they are encoded. Ragged batches: ragged-batch.ts.

import type { ModelConfig } from '../config/model-config.js';
import type { InferenceRequest, InferenceResponse } from '../core/inference.js';
import { sameRowShape, type Tensor } from '../core/tensor.js';
import type { BatchFeed, BatchResult, FeedTensor } from './batch-runner.js';
import { modelRow } from './model-shape.js';
import { OutputCut, type MergedEntry, type OutputPieces } from './output-cut.js';
import type { QueueEntry } from './queue-entry.js';

/**
 * Whether two requests of a model may share a batch. Inputs are in the order of the configuration (layer/validate-inputs),
 * and where the configuration fixes every size, or lets requests differ in it, there is nothing to compare.
 */
export function sameShapeTest(config: ModelConfig): (a: QueueEntry, b: QueueEntry) => boolean {
  const sameInputs = sameInputsTest(config);
  return (a, b) => sameInputs(a.request, b.request);
}

export function sameInputsTest(
  config: ModelConfig,
): (a: InferenceRequest, b: InferenceRequest) => boolean {
  const variable = config.inputs.flatMap((spec, index) =>
    spec.elements === -1 && !config.ragged?.inputs.has(index) ? [index] : [],
  );
  return (a, b) => {
    for (const index of variable)
      if (!sameRowShape(a.inputs[index]!.shape, b.inputs[index]!.shape)) return false;
    return true;
  };
}

export function mergeBatch(config: ModelConfig, entries: readonly MergedEntry[]): BatchFeed {
  let rows = 0;
  for (const entry of entries) rows += entry.rows;
  const tensors: FeedTensor[] = [];
  let size = 0;
  config.inputs.forEach((spec, index) => {
    let byteLength = 0;
    for (const entry of entries) byteLength += entry.request.inputs[index]!.data.byteLength;
    const row = modelRow(config, spec, entries[0]!.request.inputs[index]!.shape);
    tensors.push({ byteOffset: size, byteLength, shape: config.batched ? [rows, ...row] : row });
    size = align(size + byteLength);
  });
  // Never a slice of Buffer's pool: the memory goes to another thread. Every byte that is read is written below.
  const buffer = Buffer.allocUnsafeSlow(size);
  tensors.forEach(({ byteOffset }, index) => copyInput(buffer, byteOffset, { entries, index }));
  return { rows, buffer: buffer.buffer, tensors };
}

/** The response of each entry, in their order. @throws RuntimeError BACKEND_FAILED when an output has no row for each */
export function splitBatch(
  config: ModelConfig,
  version: string,
  batch: {
    readonly entries: readonly MergedEntry[];
    readonly rows: number;
    readonly result: BatchResult;
  },
): InferenceResponse[] {
  const cuts = config.outputs.map(
    (spec, i) => new OutputCut(config, spec, { ...batch, output: batch.result.outputs[i]! }),
  );
  return responsesOf(config, version, { entries: batch.entries, cuts });
}

/** What each entry asked for of the outputs, in their order. */
export function responsesOf(
  config: ModelConfig,
  version: string,
  batch: { readonly entries: readonly MergedEntry[]; readonly cuts: readonly OutputPieces[] },
): InferenceResponse[] {
  return batch.entries.map((entry) => ({
    modelName: config.name,
    modelVersion: version,
    outputs: tensorsFor(entry, batch.cuts),
  }));
}

/** Where the next tensor of a feed begins: at a multiple of 8. Not by bits: those end at 2^31. */
export function align(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}

/** Input `index` of all entries, one after another. */
export function copyInput(
  buffer: Uint8Array,
  byteOffset: number,
  { entries, index }: { readonly entries: readonly MergedEntry[]; readonly index: number },
): void {
  let at = byteOffset;
  for (const entry of entries) {
    const { data } = entry.request.inputs[index]!;
    buffer.set(data, at);
    at += data.byteLength;
  }
}

// ---- details below; callers need not read ----

function tensorsFor(entry: MergedEntry, cuts: readonly OutputPieces[]): Tensor[] {
  const { request } = entry;
  const tensors: Tensor[] = [];
  for (const cut of cuts) {
    const tensor = cut.next(entry);
    if (request.outputs.length === 0 || isWanted(request, cut.name)) tensors.push(tensor);
  }
  return tensors;
}

function isWanted({ outputs }: InferenceRequest, name: string): boolean {
  return outputs.some((output) => output.name === name);
}
