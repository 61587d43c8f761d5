// Batches of requests whose inputs differ in shape: such inputs reach the model as one vector, with tensors beside it that tell
// which part is whose. A request by itself, and one tried again alone, is a batch of one and goes the same way.

import type { ModelConfig } from '../config/model-config.js';
import type { BatchInputSpec, RaggedConfig } from '../config/ragged-config.js';
import type { InferenceResponse } from '../core/inference.js';
import { elementCount } from '../core/tensor.js';
import { batchInputTensor, type BatchInputTensor } from './batch-input.js';
import type { BatchFeed, BatchResult, FeedTensor } from './batch-runner.js';
import { align, copyInput, responsesOf } from './batch.js';
import { modelRow } from './model-shape.js';
import { OutputCut, type MergedEntry, type OutputPieces } from './output-cut.js';
import { ScatteredOutput } from './scattered-output.js';

/** A model's configuration, of which `ragged` is there. */
export interface RaggedModelConfig extends ModelConfig {
  readonly ragged: RaggedConfig;
}

/** Inputs in the order of the configuration, then what the server makes, each for all its targets. */
export function mergeRaggedBatch(
  config: RaggedModelConfig,
  entries: readonly MergedEntry[],
): BatchFeed {
  let rows = 0;
  for (const entry of entries) rows += entry.rows;
  const layout = new FeedLayout();
  config.inputs.forEach((_, index) => {
    let byteLength = 0;
    for (const entry of entries) byteLength += entry.request.inputs[index]!.data.byteLength;
    layout.place(feedShape(config, index, { entries, rows }), byteLength);
  });
  const made = config.ragged.batchInputs.map((spec) => {
    const tensor = batchInputTensor(spec.kind, sourceShapes(config, spec.source, entries));
    const { byteOffset } = layout.place(
      tensor.shape,
      elementCount(tensor.shape) * BATCH_INPUT_BYTES,
    );
    for (let more = spec.targets.length - 1; more > 0; more--) layout.repeat();
    return { spec, tensor, byteOffset };
  });
  // Never a slice of Buffer's pool: the memory goes to another thread. Every byte that is read is written below.
  const buffer = Buffer.allocUnsafeSlow(layout.size);
  config.inputs.forEach((_, index) =>
    copyInput(buffer, layout.tensors[index]!.byteOffset, { entries, index }),
  );
  for (const { spec, tensor, byteOffset } of made)
    writeBatchInput(buffer.buffer, byteOffset, { spec, tensor });
  return { rows, buffer: buffer.buffer, tensors: layout.tensors };
}

/** The response of each entry, in their order. @throws RuntimeError BACKEND_FAILED when an output cannot be divided so */
export function splitRaggedBatch(
  config: RaggedModelConfig,
  version: string,
  {
    entries,
    rows,
    result,
  }: {
    readonly entries: readonly MergedEntry[];
    readonly rows: number;
    readonly result: BatchResult;
  },
): InferenceResponse[] {
  const cuts = config.outputs.map((spec, i): OutputPieces => {
    const output = result.outputs[i]!;
    const source = config.ragged.scattered.get(spec.name);
    return source === undefined
      ? new OutputCut(config, spec, { rows, output })
      : new ScatteredOutput(config, spec, { source, output });
  });
  return responsesOf(config, version, { entries, cuts });
}

// ---- details below; callers need not read ----

/** Of an element of FP32 or INT32. */
const BATCH_INPUT_BYTES = 4;

/** Where the tensors of a feed lie in its buffer. */
class FeedLayout {
  readonly tensors: FeedTensor[] = [];
  size = 0;

  place(shape: readonly number[], byteLength: number): FeedTensor {
    const tensor = { byteOffset: this.size, byteLength, shape };
    this.tensors.push(tensor);
    this.size = align(this.size + byteLength);
    return tensor;
  }

  /** The last one once more, for another input of the model: nobody writes to it. */
  repeat(): void {
    this.tensors.push(this.tensors.at(-1)!);
  }
}

function feedShape(
  config: RaggedModelConfig,
  index: number,
  { entries, rows }: { readonly entries: readonly MergedEntry[]; readonly rows: number },
): readonly number[] {
  if (config.ragged.inputs.has(index)) {
    let elements = 0;
    for (const { request } of entries) elements += elementCount(request.inputs[index]!.shape);
    return [elements];
  }
  const row = modelRow(config, config.inputs[index]!, entries[0]!.request.inputs[index]!.shape);
  return config.batched ? [rows, ...row] : row;
}

function sourceShapes(
  config: RaggedModelConfig,
  source: number,
  entries: readonly MergedEntry[],
): number[][] {
  const spec = config.inputs[source]!;
  return entries.map(({ rows, request }) => [
    rows,
    ...modelRow(config, spec, request.inputs[source]!.shape),
  ]);
}

function writeBatchInput(
  buffer: ArrayBuffer,
  byteOffset: number,
  { spec, tensor }: { readonly spec: BatchInputSpec; readonly tensor: BatchInputTensor },
): void {
  const ArrayType = spec.dataType === 'FP32' ? Float32Array : Int32Array;
  const elements = new ArrayType(buffer, byteOffset, elementCount(tensor.shape));
  elements.set(tensor.values);
  elements.fill(0, tensor.values.length);
}
