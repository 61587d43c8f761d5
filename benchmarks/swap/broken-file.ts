// Files that are no models, each in its own way.

import { ONNX_TYPE, onnxModel } from '../../runtime/testing/onnx-model.js';

/** The kinds come in turn. */
export function brokenFile(good: Uint8Array, index: number): Uint8Array {
  return KINDS[index % KINDS.length]!(good);
}

const KINDS: readonly ((good: Uint8Array) => Uint8Array)[] = [
  // A copy that was interrupted.
  (good) => good.subarray(0, Math.floor(good.length / 2)),
  // Something else altogether.
  () => Buffer.from('<!DOCTYPE html><title>404 Not Found</title>'),
  // A model of an operator that does not exist.
  () =>
    onnxModel({
      inputs: [{ name: 'x', type: ONNX_TYPE.FLOAT, shape: ['b', 32] }],
      outputs: [{ name: 'y', type: ONNX_TYPE.FLOAT, shape: ['b', 1] }],
      nodes: [{ op: 'Frobnicate', inputs: ['x'], outputs: ['y'] }],
    }),
  () => new Uint8Array(0),
];
