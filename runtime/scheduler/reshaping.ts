// Requests of a model whose batches are not merged, and its answers, where the configuration reshapes: the same bytes in the shapes that the
// model sees, and in those that its users see.

import type { ModelConfig, TensorSpec } from '../config/model-config.js';
import type { InferenceRequest } from '../core/inference.js';
import type { Tensor } from '../core/tensor.js';
import { modelRow, userRow } from './model-shape.js';

export class Reshaping {
  readonly #config: ModelConfig;
  readonly #inputs: ReadonlyMap<string, TensorSpec>;
  readonly #outputs: ReadonlyMap<string, TensorSpec>;

  private constructor(config: ModelConfig) {
    this.#config = config;
    this.#inputs = reshapedOf(config.inputs);
    this.#outputs = reshapedOf(config.outputs);
  }

  /** Undefined: the configuration reshapes nothing. */
  static of(config: ModelConfig): Reshaping | undefined {
    const isNeeded = [...config.inputs, ...config.outputs].some(({ reshaped }) => reshaped);
    return isNeeded ? new Reshaping(config) : undefined;
  }

  /** As the model sees it. */
  request(request: InferenceRequest): InferenceRequest {
    return { ...request, inputs: request.inputs.map((tensor) => this.#input(tensor)) };
  }

  /** As users see them. */
  outputs(outputs: readonly Tensor[]): Tensor[] {
    return outputs.map((tensor) => {
      const spec = this.#outputs.get(tensor.name);
      if (!spec) return tensor;
      const { shape } = tensor;
      const batch = this.#config.batched ? shape.slice(0, 1) : [];
      return { ...tensor, shape: [...batch, ...userRow(spec, shape.slice(batch.length))] };
    });
  }

  // ---- details below; callers need not read ----

  #input(tensor: Tensor): Tensor {
    const spec = this.#inputs.get(tensor.name);
    if (!spec) return tensor;
    const batch = this.#config.batched ? tensor.shape.slice(0, 1) : [];
    return { ...tensor, shape: [...batch, ...modelRow(this.#config, spec, tensor.shape)] };
  }
}

function reshapedOf(specs: readonly TensorSpec[]): Map<string, TensorSpec> {
  return new Map(specs.filter(({ reshaped }) => reshaped).map((spec) => [spec.name, spec]));
}
