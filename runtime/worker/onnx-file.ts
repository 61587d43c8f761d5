// The inputs and outputs that an ONNX file declares, read without its weights, and the rewriting that lets BF16 through:
// onnxruntime-node cannot represent BF16 tensors, so a BF16 input becomes a FLOAT input with a Cast behind it and a BF16
// output a FLOAT output with a Cast before it. Every BF16 value is a FLOAT value, so widening and narrowing are exact.
//
// Field numbers: onnx.proto. ModelProto.graph 7; GraphProto.node 1, initializer 5, input 11, output 12; ValueInfoProto.name 1,
// type 2; TypeProto.tensor_type 1; TypeProto.Tensor.elem_type 1, shape 2; TensorProto.name 8; NodeProto.input 1, output 2, op_type 4,
// attribute 5; TensorShapeProto.dim 1; Dimension.dim_value 1; AttributeProto.name 1, i 3, type 20.

import { closeSync, fstatSync, openSync } from 'node:fs';
import { WireFile, wireBytes, wireNumber, type WireField } from './protobuf-wire.js';

const FLOAT = 1;
const BFLOAT16 = 16;
const ATTRIBUTE_INT = 2;
/** TensorProto.DataType of the 8-bit floats and what came after them; nothing here can carry them. */
const UNSUPPORTED: Record<number, string> = {
  17: 'FLOAT8E4M3FN',
  18: 'FLOAT8E4M3FNUZ',
  19: 'FLOAT8E5M2',
  20: 'FLOAT8E5M2FNUZ',
  21: 'UINT4',
  22: 'INT4',
  23: 'FLOAT4E2M1',
  24: 'FLOAT8E8M0',
};

export interface OnnxDeclarations {
  /** Names of BF16 inputs (those with initializers left out) and outputs. */
  readonly bfloat16Inputs: readonly string[];
  readonly bfloat16Outputs: readonly string[];
  /** Sentences on inputs and outputs of types that cannot be served. */
  readonly unsupported: readonly string[];
}

/** A tensor at the boundary of a model. */
export interface Declared {
  readonly name: string;
  /** TensorProto.DataType; 0 for what is no tensor. */
  readonly type: number;
  /** -1 for sizes that are left open; undefined where not even the rank is known. */
  readonly shape: readonly number[] | undefined;
}

/** Inputs that are not given by an initializer, and outputs. @throws as readDeclarations */
export function readDeclared(path: string): { inputs: Declared[]; outputs: Declared[] } {
  return withFile(path, (file) => {
    const { inputs, outputs, initializers } = graphParts(file);
    return { inputs: inputs.filter(({ name }) => !initializers.has(name)), outputs };
  });
}

/** @throws RuntimeError INVALID_ARGUMENT when the file is no ONNX model */
export function readDeclarations(path: string): OnnxDeclarations {
  return withFile(path, (file) => {
    const graph = graphParts(file);
    const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
    const bfloat16 = (tensors: readonly Declared[]): string[] =>
      tensors.filter(({ type }) => type === BFLOAT16).map(({ name }) => name);
    const complaints = (tensors: readonly Declared[], side: string): string[] =>
      tensors
        .filter(({ type }) => type in UNSUPPORTED)
        .map(
          ({ name, type }) =>
            `${side} '${name}' has type ${UNSUPPORTED[type]!}, which the protocol has no name for`,
        );
    return {
      bfloat16Inputs: bfloat16(inputs),
      bfloat16Outputs: bfloat16(graph.outputs),
      unsupported: [...complaints(inputs, 'input'), ...complaints(graph.outputs, 'output')],
    };
  });
}

/** The model with its BF16 inputs and outputs turned into FLOAT. Tensors of the session are named by these functions. */
export function withFloatBoundary(path: string, declarations: OnnxDeclarations): Buffer {
  const inputs = new Set(declarations.bfloat16Inputs);
  const outputs = new Set(declarations.bfloat16Outputs);
  return withFile(path, (file) => {
    const model: Buffer[] = [];
    for (const field of file.fields(0, file.size)) {
      if (field.number !== 7) model.push(file.bytes(field.start, field.to));
      else model.push(wireBytes(7, floatGraph(file, field, { inputs, outputs })));
    }
    return Buffer.concat(model);
  });
}

export function floatInputName(name: string): string {
  return `${name}/as_float_input`;
}

export function floatOutputName(name: string): string {
  return `${name}/as_float_output`;
}

// ---- details below; callers need not read ----

function withFile<T>(path: string, use: (file: WireFile) => T): T {
  const fd = openSync(path, 'r');
  try {
    return use(new WireFile(fd, fstatSync(fd).size));
  } finally {
    closeSync(fd);
  }
}

function graphParts(file: WireFile): {
  initializers: Set<string>;
  inputs: Declared[];
  outputs: Declared[];
} {
  const parts = {
    initializers: new Set<string>(),
    inputs: [] as Declared[],
    outputs: [] as Declared[],
  };
  for (const graph of file.fields(0, file.size)) {
    if (graph.number !== 7 || graph.wireType !== 2) continue;
    for (const field of file.fields(graph.from, graph.to)) {
      if (field.number === 5) parts.initializers.add(tensorName(file, field));
      else if (field.number === 11) parts.inputs.push(declared(file, field));
      else if (field.number === 12) parts.outputs.push(declared(file, field));
    }
  }
  return parts;
}

function tensorName(file: WireFile, tensor: WireField): string {
  for (const field of file.fields(tensor.from, tensor.to))
    if (field.number === 8) return file.text(field);
  return '';
}

function declared(file: WireFile, info: WireField): Declared {
  let name = '';
  let tensor: Pick<Declared, 'type' | 'shape'> = { type: 0, shape: undefined };
  for (const field of file.fields(info.from, info.to)) {
    if (field.number === 1) name = file.text(field);
    if (field.number === 2) tensor = tensorType(file, field);
  }
  return { name, ...tensor };
}

function tensorType(file: WireFile, info: WireField): Pick<Declared, 'type' | 'shape'> {
  let type = 0;
  let shape: number[] | undefined;
  for (const tensor of file.fields(info.from, info.to)) {
    if (tensor.number !== 1) continue;
    for (const field of file.fields(tensor.from, tensor.to)) {
      if (field.number === 1) type = field.value;
      if (field.number === 2) shape = sizes(file, field);
    }
  }
  return { type, shape };
}

function sizes(file: WireFile, shape: WireField): number[] {
  return [...file.fields(shape.from, shape.to)]
    .filter(({ number }) => number === 1)
    .map((dimension) => {
      for (const field of file.fields(dimension.from, dimension.to))
        if (field.number === 1 && field.wireType === 0 && Number.isSafeInteger(field.value))
          return field.value;
      // Left open, named, or negative, which is a number beyond all sizes here.
      return -1;
    });
}

/** Nodes must stand after what they read: casts of inputs come first, those of outputs last. */
function floatGraph(
  file: WireFile,
  graph: WireField,
  names: { inputs: ReadonlySet<string>; outputs: ReadonlySet<string> },
): Buffer {
  const casts = [...names.inputs].map((name) => castNode(floatInputName(name), name, BFLOAT16));
  const rest: Buffer[] = [];
  for (const field of file.fields(graph.from, graph.to)) {
    const { name } =
      field.number === 11 || field.number === 12 ? declared(file, field) : { name: '' };
    if (field.number === 11 && names.inputs.has(name))
      rest.push(wireBytes(11, floatInfo(file, field, floatInputName(name))));
    else if (field.number === 12 && names.outputs.has(name))
      rest.push(wireBytes(12, floatInfo(file, field, floatOutputName(name))));
    else rest.push(file.bytes(field.start, field.to));
  }
  const outCasts = [...names.outputs].map((name) => castNode(name, floatOutputName(name), FLOAT));
  return Buffer.concat([...casts, ...rest, ...outCasts]);
}

function castNode(input: string, output: string, to: number): Buffer {
  const attribute = Buffer.concat([
    wireBytes(1, 'to'),
    wireNumber(3, to),
    wireNumber(20, ATTRIBUTE_INT),
  ]);
  return wireBytes(
    1,
    Buffer.concat([
      wireBytes(1, input),
      wireBytes(2, output),
      wireBytes(4, 'Cast'),
      wireBytes(5, attribute),
    ]),
  );
}

/** The same ValueInfoProto under another name, with FLOAT elements. */
function floatInfo(file: WireFile, info: WireField, name: string): Buffer {
  const parts: Buffer[] = [wireBytes(1, name)];
  for (const field of file.fields(info.from, info.to)) {
    if (field.number === 2) parts.push(wireBytes(2, floatType(file, field)));
    else if (field.number !== 1) parts.push(file.bytes(field.start, field.to));
  }
  return Buffer.concat(parts);
}

function floatType(file: WireFile, type: WireField): Buffer {
  const parts: Buffer[] = [];
  for (const tensor of file.fields(type.from, type.to)) {
    if (tensor.number !== 1) {
      parts.push(file.bytes(tensor.start, tensor.to));
      continue;
    }
    const fields: Buffer[] = [wireNumber(1, FLOAT)];
    for (const field of file.fields(tensor.from, tensor.to))
      if (field.number !== 1) fields.push(file.bytes(field.start, field.to));
    parts.push(wireBytes(1, Buffer.concat(fields)));
  }
  return Buffer.concat(parts);
}
