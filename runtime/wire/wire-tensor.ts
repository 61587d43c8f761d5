// A tensor in a message without its data: InferInputTensor and InferOutputTensor have the same fields, and are field 5 of their messages.

import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import { readParameterEntry, type WireParameter } from './infer-parameter.js';
import { DELIMITED, type WireReader } from './wire-reader.js';
import { cachedUtf8, delimitedSize, varintSize, type WireWriter } from './wire-writer.js';

export type WireParameters = Map<string, WireParameter>;

export interface WireTensor {
  name: string;
  dataType: string;
  shape: number[];
  /** InferTensorContents; undefined: the data are among the raw ones. */
  contents: WireReader | undefined;
  parameters: WireParameters | undefined;
}

/** @throws RuntimeError INVALID_ARGUMENT when the bytes are no such message */
export function readTensor(reader: WireReader): WireTensor {
  const tensor: WireTensor = {
    name: '',
    dataType: '',
    shape: [],
    contents: undefined,
    parameters: undefined,
  };
  for (let fields = 1; !reader.done; fields++) {
    checkCount(fields);
    const tag = reader.tag();
    // Cases are field number × 8 + wire type.
    switch (tag) {
      case 0x0a:
        tensor.name = reader.text();
        break;
      case 0x12:
        tensor.dataType = reader.text();
        break;
      case 0x18:
      case 0x1a:
        readShape(tensor.shape, reader, tag & 7);
        break;
      case 0x22:
        readParameterEntry((tensor.parameters ??= newParameters()), reader.message());
        break;
      case 0x2a:
        tensor.contents = reader.message();
        break;
      default:
        reader.skip(tag & 7);
    }
  }
  return tensor;
}

export function newParameters(): WireParameters {
  return new Map();
}

/** Repeated integers come packed or one by one; a parser must take both. */
export function readShape(shape: number[], reader: WireReader, wireType: number): void {
  if (wireType !== DELIMITED) {
    shape.push(reader.int64());
    return;
  }
  const packed = reader.message();
  while (!packed.done) {
    shape.push(packed.int64());
    checkCount(shape.length);
  }
}

/** More fields than any request has. Two bytes of a message make an object here, so a small message could take all memory. */
const MOST_FIELDS = 65_536;

/** @throws RuntimeError INVALID_ARGUMENT for a message of more fields than one has that means well */
export function checkCount(fields: number): void {
  if (fields <= MOST_FIELDS) return;
  const text = `request is too large: it has more than ${MOST_FIELDS} inputs, outputs, parameters or sizes in a shape`;
  throw new RuntimeError('INVALID_ARGUMENT', text);
}

/** Bytes of the message that `writeTensor` writes. */
export function tensorSize({ name, dataType, shape }: Tensor): number {
  const dims = shapeSize(shape);
  return (
    delimitedSize(cachedUtf8(name).length) +
    delimitedSize(dataType.length) +
    (dims === 0 ? 0 : delimitedSize(dims))
  );
}

/** Field 5 of a request or a response: the tensor without its data. */
export function writeTensor(writer: WireWriter, tensor: Tensor): void {
  const { name, dataType, shape } = tensor;
  writer.delimited(5, tensorSize(tensor));
  writer.bytes(1, cachedUtf8(name));
  writer.bytes(2, cachedUtf8(dataType));
  const dims = shapeSize(shape);
  if (dims === 0) return;
  writer.delimited(3, dims);
  for (const dim of shape) writer.varint(dim);
}

function shapeSize(shape: readonly number[]): number {
  let size = 0;
  for (const dim of shape) size += varintSize(dim);
  return size;
}
