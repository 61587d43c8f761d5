// What the benchmarks serve: a model, the request that is sent over and over, and under how much load.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ONNX_TYPE, onnxModel, type OnnxGraph } from '../../runtime/testing/onnx-model.js';
import { mlpGraph } from './mlp-graph.js';

/** Connections, and requests that are under way on each of them all the time. */
export interface Point {
  readonly connections: number;
  readonly streams: number;
}

export interface Work {
  /** Also the model's name. */
  readonly name: string;
  readonly title: string;
  readonly input: string;
  /** Of one request without its batch dimension; of the whole input where the model is not batched. */
  readonly inputShape: readonly number[];
  readonly output: string;
  /** 0: requests are not batched. */
  readonly maxBatchSize: number;
  readonly points: readonly Point[];
  /** Requests of one repetition at a point. */
  readonly requests: number;
  /** Then it is compared with a bare loop over ONNX Runtime, too. */
  readonly computeBound: boolean;
  model(): Uint8Array;
}

/** Where the ONNX project's test data are; light/ in it has the topology of ResNet-50. */
export const ONNX_TEST_DATA =
  process.env['ONNX_TEST_DATA'] ??
  fileURLToPath(new URL('../../../../shared/onnx', import.meta.url));

const RESNET50 = join(ONNX_TEST_DATA, 'light', 'light_resnet50.onnx');

/** The share of `requests` that is sent where only one request is under way at a time. */
const SHARE_ALONE = 0.15;
const FEWEST_REQUESTS = 16;

export const WORKS: readonly Work[] = [
  {
    ...ofVectors('tiny', 32, { maxBatchSize: 64, graph: () => mlpGraph([32, 64, 32, 1]) }),
    title: 'MLP 32-64-32-1',
    points: points('1x1', '4x1', '4x16', '4x64'),
    requests: 40_000,
    computeBound: false,
  },
  {
    ...ofVectors('mid', 256, {
      maxBatchSize: 64,
      graph: () => mlpGraph([256, 1024, 1024, 512, 1]),
    }),
    title: 'MLP 256-1024-1024-512-1, 1.8 M parameters',
    points: points('1x1', '4x4', '4x16'),
    requests: 8_000,
    computeBound: true,
  },
  {
    ...ofVectors('big', 150_528, { maxBatchSize: 8, graph: () => maximumGraph(150_528) }),
    title: 'maximum of 150,528 floats, 600 kB',
    points: points('1x1', '4x4'),
    requests: 1_200,
    computeBound: false,
  },
  {
    name: 'resnet50',
    title: 'ResNet-50 topology, constant weights, 600 kB',
    input: 'gpu_0/data_0',
    inputShape: [1, 3, 224, 224],
    output: 'gpu_0/softmax_1',
    maxBatchSize: 0,
    points: points('1x1', '4x1'),
    requests: 40,
    computeBound: true,
    model: () => readFileSync(RESNET50),
  },
];

/** Why it cannot run here; undefined when it can. */
export function obstacle({ name }: Work): string | undefined {
  if (name !== 'resnet50' || existsSync(RESNET50)) return undefined;
  return "ONNX_TEST_DATA names no directory with the ONNX project's light/light_resnet50.onnx in it";
}

/** One instance with one thread, batches as they come. */
export function configText({ name, maxBatchSize }: Pick<Work, 'name' | 'maxBatchSize'>): string {
  const one = (key: string): string =>
    `parameters { key: "${key}" value: { string_value: "1" } }\n`;
  return (
    `name: "${name}"\nbackend: "onnxruntime"\nmax_batch_size: ${maxBatchSize}\n` +
    'instance_group [ { kind: KIND_CPU count: 1 } ]\n' +
    (maxBatchSize > 0 ? 'dynamic_batching { }\n' : '') +
    one('intra_op_thread_count') +
    one('inter_op_thread_count')
  );
}

export function requestsAt({ requests }: Work, { connections, streams }: Point): number {
  const share = connections * streams === 1 ? SHARE_ALONE : 1;
  return Math.max(Math.round(requests * share), FEWEST_REQUESTS);
}

export function pointName({ connections, streams }: Point): string {
  return `${connections}x${streams}`;
}

/** From text such as '4x16'; undefined when it is none. */
export function pointFromName(name: string): Point | undefined {
  const match = /^([1-9]\d{0,3})x([1-9]\d{0,3})$/.exec(name);
  return match ? { connections: Number(match[1]), streams: Number(match[2]) } : undefined;
}

// ---- details below; callers need not read ----

function points(...names: readonly string[]): Point[] {
  return names.map((name) => pointFromName(name)!);
}

function ofVectors(
  name: string,
  width: number,
  { maxBatchSize, graph }: { maxBatchSize: number; graph: () => OnnxGraph },
): Pick<Work, 'name' | 'input' | 'inputShape' | 'output' | 'maxBatchSize' | 'model'> {
  return {
    name,
    input: 'x',
    inputShape: [width],
    output: 'y',
    maxBatchSize,
    model: () => onnxModel(graph()),
  };
}

function maximumGraph(width: number): OnnxGraph {
  return {
    inputs: [{ name: 'x', type: ONNX_TYPE.FLOAT, shape: ['b', width] }],
    outputs: [{ name: 'y', type: ONNX_TYPE.FLOAT, shape: ['b', 1] }],
    nodes: [{ op: 'ReduceMax', inputs: ['x'], outputs: ['y'], ints: { axes: [1], keepdims: 1 } }],
  };
}
