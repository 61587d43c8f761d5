// A completed configuration as users see it: tensors with their batch dimension, labels, origins.

import type { TensorSpec } from '../config/model-config.js';
import type { ServedModel, TensorMetadata } from '../core/model-catalog.js';
import { readLabels } from '../repository/label-file.js';
import type { CompletedConfig } from './complete-onnx-config.js';

/** What users see of a version. */
export async function servedModel(
  config: CompletedConfig,
  directory: string,
  { version, statistics }: Pick<ServedModel, 'version' | 'statistics'>,
): Promise<ServedModel> {
  const labels = new Map<string, readonly string[]>();
  for (const { name, labelFilename } of config.outputs)
    if (labelFilename !== '') labels.set(name, await readLabels(directory, labelFilename));
  const metadata = (spec: TensorSpec): TensorMetadata => ({
    name: spec.name,
    dataType: spec.dataType,
    shape: config.batched ? [-1, ...spec.dims] : spec.dims,
  });
  const { name, platform, batched, message: configMessage, configOrigins } = config;
  const inputs = config.inputs.map(metadata);
  const outputs = config.outputs.map(metadata);
  return Object.freeze({
    name,
    version,
    platform,
    batched,
    inputs,
    outputs,
    labels,
    configMessage,
    configOrigins,
    statistics,
  });
}
