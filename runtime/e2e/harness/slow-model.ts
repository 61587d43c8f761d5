// A model that takes its time whatever the machine does.

import { ONNX_TYPE, type OnnxGraph } from '../../testing/onnx-model.js';

const shape = ['batch', 2];

/** x to y, in rows of two: multiplies matrices for a second and more. */
export const COMPUTES_LONG: OnnxGraph = {
  inputs: [{ name: 'x', type: ONNX_TYPE.FLOAT, shape }],
  outputs: [{ name: 'y', type: ONNX_TYPE.FLOAT, shape }],
  nodes: [
    { op: 'ReduceMean', inputs: ['x'], outputs: ['mean'] },
    { op: 'Expand', inputs: ['mean', 'size'], outputs: ['a'] },
    { op: 'MatMul', inputs: ['a', 'a'], outputs: ['b'] },
    { op: 'MatMul', inputs: ['b', 'a'], outputs: ['c'] },
    { op: 'ReduceMean', inputs: ['c'], outputs: ['d'] },
    { op: 'Add', inputs: ['x', 'd'], outputs: ['y'] },
  ],
  initializers: [
    {
      ...{ name: 'size', type: ONNX_TYPE.INT64, shape: [2] },
      data: new Uint8Array(BigInt64Array.of(4000n, 4000n).buffer),
    },
  ],
};
