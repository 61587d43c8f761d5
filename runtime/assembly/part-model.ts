// A model as pipelines see their parts: found in the catalog, with its tensors as users see them.

import type { PartModel, PartTensor } from '../config/check-parts.js';
import type { ModelConfigMessage, TensorMessage } from '../config/model-config-message.js';
import { RuntimeError } from '../core/errors.js';
import type { ModelCatalog, ServedModel } from '../core/model-catalog.js';
import type { ModelReference } from '../core/pipeline-node.js';

/** The version a reference means now. @throws RuntimeError NOT_FOUND or MODEL_NOT_READY */
export function servedPart(catalog: ModelCatalog, { name, version }: ModelReference): ServedModel {
  const handle = catalog.acquire(name, version > 0 ? String(version) : '');
  try {
    return handle.model;
  } catch (error) {
    throw RuntimeError.from(error);
  } finally {
    handle.release();
  }
}

/** Of a complete configuration. */
export function partModel(message: ModelConfigMessage): PartModel {
  const { name = '', max_batch_size: maxBatchSize = 0, input = [], output = [] } = message;
  const tensor = (of: TensorMessage & { optional?: boolean }): PartTensor => {
    const dims = (of.dims ?? []).map(Number);
    return {
      name: of.name ?? '',
      dataType: of.data_type ?? '',
      shape: maxBatchSize > 0 ? [-1, ...dims] : dims,
      optional: of.optional ?? false,
    };
  };
  return { name, maxBatchSize, inputs: input.map(tensor), outputs: output.map(tensor) };
}
