// A model for every element type that returns its input x as y: rows of any length, in batches of any size.

import { TemporaryRepository } from './temporary-repository.js';

/** TensorProto.DataType by the names of the v2 protocol. */
const ONNX_TYPES = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
  BF16: 16,
};

/** Models are named identity_fp32, identity_bytes, and so on. */
export function identityRepository(): TemporaryRepository {
  const repository = new TemporaryRepository();
  for (const [name, type] of Object.entries(ONNX_TYPES)) {
    const shape = ['batch', 'width'];
    repository.model(`identity_${name.toLowerCase()}`, {
      inputs: [{ name: 'x', type, shape }],
      outputs: [{ name: 'y', type, shape }],
      nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    });
  }
  return repository;
}
