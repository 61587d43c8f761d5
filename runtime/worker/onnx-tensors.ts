// The inputs and outputs of a model as its file declares them: what a session would say of it, without making one.

import type { DataType } from '../core/data-type.js';
import type { TensorMetadata } from '../core/model-catalog.js';
import { readDeclared, type Declared } from './onnx-file.js';

/** By TensorProto.DataType. */
const DATA_TYPES: Readonly<Record<number, DataType>> = {
  1: 'FP32',
  2: 'UINT8',
  3: 'INT8',
  4: 'UINT16',
  5: 'INT16',
  6: 'INT32',
  7: 'INT64',
  8: 'BYTES',
  9: 'BOOL',
  10: 'FP16',
  11: 'FP64',
  12: 'UINT32',
  13: 'UINT64',
  16: 'BF16',
};

export interface DeclaredTensors {
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

/** Undefined where the file does not say all: a rank or a type is missing, and only a session knows. */
export function readTensors(path: string): DeclaredTensors | undefined {
  const { inputs, outputs } = readDeclared(path);
  const [declaredInputs, declaredOutputs] = [inputs.map(tensorOf), outputs.map(tensorOf)];
  if (!declaredInputs.every(isThere) || !declaredOutputs.every(isThere)) return undefined;
  return { inputs: declaredInputs, outputs: declaredOutputs };
}

// ---- details below; callers need not read ----

function tensorOf({ name, type, shape }: Declared): TensorMetadata | undefined {
  const dataType = DATA_TYPES[type];
  return dataType && shape && { name, dataType, shape };
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}
