// One output of a ragged batch, divided among its requests by the shapes of an input: where the configuration leaves a size
// open, it is the one that the input of the request has at the same place. What the model made beyond that is ignored, as
// in Triton; that it made less fails.

import type { ModelConfig, OutputSpec } from '../config/model-config.js';
import { elementBytes } from '../core/data-type.js';
import { RuntimeError } from '../core/errors.js';
import { elementCount, formatShape, type Tensor } from '../core/tensor.js';
import type { ResultTensor } from './batch-runner.js';
import { modelRow, userRow } from './model-shape.js';
import { stringsEnd, type MergedEntry, type OutputPieces } from './output-cut.js';

export class ScatteredOutput implements OutputPieces {
  readonly name: string;
  readonly #config: ModelConfig;
  readonly #spec: OutputSpec;
  readonly #source: number;
  readonly #output: ResultTensor;
  #elementsLeft: number;
  #at = 0;

  constructor(
    config: ModelConfig,
    spec: OutputSpec,
    { source, output }: { readonly source: number; readonly output: ResultTensor },
  ) {
    this.name = spec.name;
    this.#config = config;
    this.#spec = spec;
    this.#source = source;
    this.#output = output;
    this.#elementsLeft = elementCount(output.shape);
  }

  /** @throws RuntimeError BACKEND_FAILED when the model made less than that */
  next({ rows, request }: MergedEntry): Tensor {
    const spec = this.#spec;
    const sourceRow = modelRow(
      this.#config,
      this.#config.inputs[this.#source]!,
      request.inputs[this.#source]!.shape,
    );
    const row = spec.modelDims.map((size, place) => (size === -1 ? sourceRow[place]! : size));
    const elements = rows * elementCount(row);
    if (elements > this.#elementsLeft) throw this.#tooFew([rows, ...row]);
    this.#elementsLeft -= elements;
    const from = this.#at;
    const { data } = this.#output;
    this.#at =
      spec.dataType === 'BYTES'
        ? stringsEnd(data, from, elements)
        : from + elements * elementBytes(spec.dataType);
    return {
      name: this.name,
      dataType: spec.dataType,
      shape: [rows, ...userRow(spec, row)],
      data: data.subarray(from, this.#at),
    };
  }

  #tooFew(wanted: readonly number[]): RuntimeError {
    const { name } = this.#config;
    const text =
      `model '${name}' has made too little of output '${this.name}': of its shape ${formatShape(this.#output.shape)} ` +
      `${this.#elementsLeft} elements are left for a request that gets ${formatShape(wanted)}`;
    return new RuntimeError('BACKEND_FAILED', text);
  }
}
