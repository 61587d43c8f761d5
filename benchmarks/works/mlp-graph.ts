// Multilayer perceptrons as ONNX graphs: Gemm and Relu per layer, Sigmoid at the end. Weights are the same in every run,
// and others for each seed.

import {
  ONNX_TYPE,
  type OnnxGraph,
  type OnnxInitializer,
} from '../../runtime/testing/onnx-model.js';

/** `sizes` are those of the input, the hidden layers and the output; input and output are `x` and `y`, with a batch dimension. */
export function mlpGraph(sizes: readonly number[], seed = 7): OnnxGraph {
  const random = new Random(seed);
  const layers = sizes.slice(1).map((width, index) => ({ depth: sizes[index]!, width, index }));
  const last = layers.length - 1;
  return {
    inputs: [{ name: 'x', type: ONNX_TYPE.FLOAT, shape: ['b', sizes[0]!] }],
    outputs: [{ name: 'y', type: ONNX_TYPE.FLOAT, shape: ['b', sizes.at(-1)!] }],
    nodes: layers.flatMap(({ index }) => [
      {
        op: 'Gemm',
        inputs: [index === 0 ? 'x' : `a${index - 1}`, `W${index}`, `b${index}`],
        outputs: [`h${index}`],
      },
      {
        op: index === last ? 'Sigmoid' : 'Relu',
        inputs: [`h${index}`],
        outputs: [index === last ? 'y' : `a${index}`],
      },
    ]),
    initializers: layers.flatMap(({ depth, width, index }) => [
      weights(`W${index}`, [depth, width], () => random.normal() / Math.sqrt(depth)),
      weights(`b${index}`, [width], () => 0),
    ]),
  };
}

/** What such a graph answers to a row of equal values, without ONNX Runtime. */
export function mlpAnswer({ initializers = [] }: OnnxGraph, value: number): number[] {
  const floats = ({ data }: OnnxInitializer): Float32Array =>
    new Float32Array((data as Uint8Array).buffer);
  let row = new Array<number>(initializers[0]!.shape[0]!).fill(value);
  for (let layer = 0; layer < initializers.length; layer += 2) {
    const matrix = floats(initializers[layer]!);
    const sums = [...floats(initializers[layer + 1]!)];
    row.forEach((x, i) => sums.forEach((_, j) => (sums[j]! += x * matrix[i * sums.length + j]!)));
    const isLast = layer + 2 === initializers.length;
    row = sums.map((sum) => (isLast ? 1 / (1 + Math.exp(-sum)) : Math.max(0, sum)));
  }
  return row;
}

function weights(name: string, shape: readonly number[], next: () => number): OnnxInitializer {
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, next);
  return { name, type: ONNX_TYPE.FLOAT, shape, data: new Uint8Array(values.buffer) };
}

/** Numbers that look random and are the same every time (mulberry32). */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** Mean 0, standard deviation 1. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#uniform()));
    return radius * Math.cos(2 * Math.PI * this.#uniform());
  }

  /** In [0, 1). */
  #uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }
}
