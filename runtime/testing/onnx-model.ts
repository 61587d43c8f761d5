// Small ONNX models, written by the test that needs them. Field numbers: onnx.proto.

import { wireBytes, wireNumber } from '../worker/protobuf-wire.js';

/** TensorProto.DataType. */
export const ONNX_TYPE = {
  FLOAT: 1,
  UINT8: 2,
  INT64: 7,
  STRING: 8,
  BOOL: 9,
  BFLOAT16: 16,
} as const;

/** A name is a size of its own for every run, such as a batch. */
export type OnnxSize = number | string;

export interface OnnxValue {
  readonly name: string;
  readonly type: number;
  /** undefined: not even the rank is known. */
  readonly shape?: readonly OnnxSize[];
}

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes: a number, or a list of numbers. */
  readonly ints?: Readonly<Record<string, number | readonly number[]>>;
}

export interface OnnxInitializer {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly number[];
  /** The bytes, or the file beside the model that holds them. */
  readonly data: Uint8Array | { readonly file: string; readonly length: number };
}

export interface OnnxGraph {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  readonly initializers?: readonly OnnxInitializer[];
}

const IR_VERSION = 8;
const OPSET = 17;

export function onnxModel({ inputs, outputs, nodes, initializers = [] }: OnnxGraph): Buffer {
  const graph = Buffer.concat([
    ...nodes.map((node) => wireBytes(1, nodeProto(node))),
    wireBytes(2, 'test'),
    ...initializers.map((initializer) => wireBytes(5, tensorProto(initializer))),
    ...inputs.map((value) => wireBytes(11, valueInfo(value))),
    ...outputs.map((value) => wireBytes(12, valueInfo(value))),
  ]);
  const opset = Buffer.concat([wireBytes(1, ''), wireNumber(2, OPSET)]);
  return Buffer.concat([wireNumber(1, IR_VERSION), wireBytes(7, graph), wireBytes(8, opset)]);
}

function nodeProto({ op, inputs, outputs, ints = {} }: OnnxNode): Buffer {
  const attribute = ([name, value]: [string, number | readonly number[]]): Buffer =>
    typeof value === 'number'
      ? Buffer.concat([wireBytes(1, name), wireNumber(3, value), wireNumber(20, 2)])
      : Buffer.concat([
          wireBytes(1, name),
          ...value.map((item) => wireNumber(8, item)),
          wireNumber(20, 7),
        ]);
  return Buffer.concat([
    ...inputs.map((name) => wireBytes(1, name)),
    ...outputs.map((name) => wireBytes(2, name)),
    wireBytes(4, op),
    ...Object.entries(ints).map((entry) => wireBytes(5, attribute(entry))),
  ]);
}

function tensorProto({ name, type, shape, data }: OnnxInitializer): Buffer {
  const entry = (key: string, value: string): Buffer =>
    wireBytes(13, Buffer.concat([wireBytes(1, key), wireBytes(2, value)]));
  const content =
    data instanceof Uint8Array
      ? [wireBytes(9, data)]
      : [entry('location', data.file), entry('length', String(data.length)), wireNumber(14, 1)];
  const dims = shape.map((size) => wireNumber(1, size));
  return Buffer.concat([...dims, wireNumber(2, type), wireBytes(8, name), ...content]);
}

function valueInfo({ name, type, shape }: OnnxValue): Buffer {
  const dimension = (size: OnnxSize): Buffer =>
    wireBytes(1, typeof size === 'number' ? wireNumber(1, size) : wireBytes(2, size));
  const shapeProto = shape ? [wireBytes(2, Buffer.concat(shape.map(dimension)))] : [];
  const tensor = Buffer.concat([wireNumber(1, type), ...shapeProto]);
  return Buffer.concat([wireBytes(1, name), wireBytes(2, wireBytes(1, tensor))]);
}
