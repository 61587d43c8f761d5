// A model that computes for a wanted time on one thread: so many multiplications by one small matrix, one after the other.

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ONNX_TYPE, onnxModel } from '../../runtime/testing/onnx-model.js';
import { median } from '../median.js';
import { REQUEST_VALUE } from '../works/infer-message.js';

/** Rows and columns of the matrix: half a megabyte, so that it stays in a core's cache. */
const SIZE = 384;
const TRIAL_STEPS = 40;
const TRIALS = 5;

/** Takes the input x of one value per request, [1], not batched; the output y is one value. */
export function slowModel(steps: number): Buffer {
  const matrix = new Uint8Array(new Float32Array(SIZE * SIZE).fill(1 / SIZE).buffer);
  const multiplications = Array.from({ length: steps }, (_, step) => ({
    op: 'MatMul',
    inputs: [`h${step}`, 'W'],
    outputs: [`h${step + 1}`],
  }));
  return onnxModel({
    inputs: [{ name: 'x', type: ONNX_TYPE.FLOAT, shape: [1] }],
    outputs: [{ name: 'y', type: ONNX_TYPE.FLOAT, shape: [1] }],
    nodes: [
      // The input comes first, so that nothing can be computed ahead.
      { op: 'Mul', inputs: ['W', 'x'], outputs: ['h0'] },
      ...multiplications,
      { op: 'ReduceMax', inputs: [`h${steps}`], outputs: ['top'], ints: { keepdims: 0 } },
      { op: 'Reshape', inputs: ['top', 'one'], outputs: ['y'] },
    ],
    initializers: [
      { name: 'W', type: ONNX_TYPE.FLOAT, shape: [SIZE, SIZE], data: matrix },
      { name: 'one', type: ONNX_TYPE.INT64, shape: [1], data: bytesOf([1n]) },
    ],
  });
}

/** Steps that take so long on this machine when nothing else runs. */
export async function stepsFor(wantedMs: number): Promise<number> {
  const session = await InferenceSession.create(slowModel(TRIAL_STEPS), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const x = new Tensor('float32', Float32Array.of(REQUEST_VALUE), [1]);
  const times: number[] = [];
  for (let trial = 0; trial < TRIALS; trial++) {
    const startedAt = performance.now();
    await session.run({ x });
    times.push(performance.now() - startedAt);
  }
  await session.release();
  return Math.max(1, Math.round((TRIAL_STEPS * wantedMs) / median(times)));
}

function bytesOf(values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigInt64Array.from(values).buffer);
}
