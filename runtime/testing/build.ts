// Builders: what a test does not care about, said once.

import { compileModelConfig, type ModelConfig } from '../config/model-config.js';
import type { ModelConfigMessage } from '../config/model-config-message.js';
import { normalizeModelConfig } from '../config/complete-model-config.js';
import { parseModelConfig } from '../config/parse-model-config.js';
import type { ModelTensors } from '../config/complete-from-model.js';
import { NO_PARAMETERS, type InferenceRequest, type InferenceResponse } from '../core/inference.js';
import type { RuntimeError } from '../core/errors.js';
import type { Reply } from '../core/servable.js';
import type { Tensor } from '../core/tensor.js';
import type { DataType } from '../core/data-type.js';

/** FP32 values as a tensor. */
export function aTensor(name: string, shape: readonly number[], values: readonly number[]): Tensor {
  return { name, dataType: 'FP32', shape, data: new Uint8Array(Float32Array.from(values).buffer) };
}

export function rawTensor(
  name: string,
  dataType: DataType,
  { shape, data }: { shape: readonly number[]; data: Uint8Array },
): Tensor {
  return { name, dataType, shape, data };
}

export function valuesOf({ data }: Tensor): number[] {
  return [...new Float32Array(Uint8Array.from(data).buffer)];
}

/** A BYTES tensor's raw form. */
export function lengthPrefixed(texts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(text as string);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** A request with rows of two FP32 values in INPUT0. */
export function aRequest(
  overrides: Partial<InferenceRequest> & { rows?: number } = {},
): InferenceRequest {
  const { rows = 1, ...rest } = overrides;
  return {
    modelName: 'm',
    id: '',
    parameters: NO_PARAMETERS,
    inputs: [
      aTensor(
        'INPUT0',
        [rows, 2],
        Array.from({ length: rows * 2 }, (_, i) => i),
      ),
    ],
    outputs: [],
    ...rest,
  };
}

/** One row of two FP32 values in OUTPUT0. */
export function aResponse(overrides: Partial<InferenceResponse> = {}): InferenceResponse {
  const outputs = [aTensor('OUTPUT0', [1, 2], [1, 2])];
  return { modelName: 'm', modelVersion: '1', outputs, ...overrides };
}

const NO_TENSORS: ModelTensors = { inputs: [], outputs: [] };

/** From text as in config.pbtxt, normalised as for a load. */
export function aModelConfig(text: string, model: ModelTensors = NO_TENSORS): ModelConfig {
  const { message, problems } = parseModelConfig(text);
  if (problems.length > 0) throw new Error(problems.map(({ message: what }) => what).join('; '));
  return compileModelConfig(aMessage(message), model);
}

export function aMessage(message: ModelConfigMessage): ModelConfigMessage {
  return normalizeModelConfig({ name: 'm', backend: 'onnxruntime', ...message }, { hasGpu: false });
}

/** INPUT0 and OUTPUT0 FP32 [2], batches of up to 4, with `more` added. */
export function aBatchedConfig(more = 'dynamic_batching { }', maxBatchSize = 4): ModelConfig {
  return aModelConfig(`
    max_batch_size: ${maxBatchSize}
    input [ { name: "INPUT0" data_type: TYPE_FP32 dims: [ 2 ] } ]
    output [ { name: "OUTPUT0" data_type: TYPE_FP32 dims: [ 2 ] } ]
    ${more}`);
}

/** A reply that remembers what it was told. */
export class RecordedReply implements Reply {
  readonly responses: InferenceResponse[] = [];
  readonly ends: (RuntimeError | undefined)[] = [];

  response(response: InferenceResponse): void {
    this.responses.push(response);
  }

  end(error?: RuntimeError): void {
    this.ends.push(error);
  }

  /** 'ok', a code, or 'pending'. */
  get outcome(): string {
    if (this.ends.length === 0) return 'pending';
    return this.ends[0]?.code ?? 'ok';
  }
}
