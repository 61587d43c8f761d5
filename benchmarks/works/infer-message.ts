// The request of a work as it goes over the wire: inference.ModelInferRequest with one raw FP32 input, as gRPC frames it.

import { Writer } from 'protobufjs';
import type { Work } from './work.js';

/** Every element of every request. */
export const REQUEST_VALUE = 0.3;

export function inferMessage({
  name,
  input,
  inputShape,
  maxBatchSize,
}: Pick<Work, 'name' | 'input' | 'inputShape' | 'maxBatchSize'>): Buffer {
  const count = inputShape.reduce((product, size) => product * size, 1);
  const shape = maxBatchSize > 0 ? [1, ...inputShape] : inputShape;
  const writer = Writer.create();
  writer.uint32(delimited(1)).string(name);
  writer.uint32(delimited(5)).fork();
  writer.uint32(delimited(1)).string(input);
  writer.uint32(delimited(2)).string('FP32');
  writer.uint32(delimited(3)).fork();
  for (const size of shape) writer.uint32(size);
  writer.ldelim().ldelim();
  writer
    .uint32(delimited(7))
    .bytes(new Uint8Array(new Float32Array(count).fill(REQUEST_VALUE).buffer));
  return Buffer.from(writer.finish());
}

/** A message as gRPC sends it: not compressed, its length, itself. */
export function grpcFrame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The tag of a length-delimited field; numbers are those of grpc_service.proto. */
function delimited(field: number): number {
  return field * 8 + 2;
}
