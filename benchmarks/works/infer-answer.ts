// Requests as bytes, one at a time, and their answers: as bytes, whose number is the echo's, too, or read.

import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { Reader } from 'protobufjs';
import { INFER_PATH } from '../load/load.js';

/** Bytes of the answer. @throws ServiceError when it is an error */
export async function answerBytes(port: number, message: Buffer): Promise<number> {
  const client = bytesClient(`127.0.0.1:${port}`);
  try {
    return (await askBytes(client, message)).length;
  } finally {
    client.close();
  }
}

/** @param target addresses as grpc-js takes them; every client has connections of its own */
export function bytesClient(target: string): Client {
  return new Client(target, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
    'grpc.max_receive_message_length': -1,
    'grpc.use_local_subchannel_pool': 1,
  });
}

/** The bytes of ModelInfer's answer. @throws ServiceError when it is an error */
export function askBytes(client: Client, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, answer?: Buffer): void =>
      error ? reject(error) : resolve(answer!);
    client.makeUnaryRequest(INFER_PATH, same, same, message, done);
  });
}

export interface InferAnswer {
  readonly version: number;
  /** Of the first output, which is FP32. */
  readonly values: Float32Array;
}

/** inference.ModelInferResponse; numbers are those of grpc_service.proto. */
export function readInferAnswer(message: Uint8Array): InferAnswer {
  const reader = Reader.create(message);
  let version = 0;
  let values = new Float32Array(0);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 2) version = Number(reader.string());
    // Copied: a view must begin at a multiple of four.
    else if (tag >>> 3 === 6) values = new Float32Array(Uint8Array.from(reader.bytes()).buffer);
    else reader.skipType(tag & 7);
  }
  return { version, values };
}

/** Whether an answer is what was computed elsewhere, but for rounding. */
export function isNear(values: ArrayLike<number>, expected: ArrayLike<number>): boolean {
  if (values.length !== expected.length) return false;
  return Array.from(expected).every((value, i) => Math.abs(values[i]! - value) < TOLERANCE);
}

const TOLERANCE = 1e-4;

function same(bytes: Buffer): Buffer {
  return bytes;
}
