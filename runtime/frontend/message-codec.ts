// Messages of the calls that are not hot, by protobufjs and the descriptors in proto/.

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { RuntimeError } from '../core/errors.js';

export const PROTO_DIRECTORY = fileURLToPath(new URL('../../proto/', import.meta.url));
export const PROTO_FILES: readonly string[] = [
  'grpc_service.proto',
  'health.proto',
  'inferd_control.proto',
];

/** A message as a plain object: names as in the .proto, enums by name, 64-bit integers as numbers, absent fields as defaults. */
export type Message = Record<string, unknown>;

export interface MessageCodec {
  /** @throws RuntimeError INVALID_ARGUMENT when the bytes are no such message */
  readonly decode: (bytes: Buffer) => Message;
  readonly encode: (message: Message) => Buffer;
}

let root: protobuf.Root | undefined;

/** `name` with its package, such as "inference.ModelReadyRequest". */
export function messageCodec(name: string): MessageCodec {
  root ??= loadRoot();
  const type = root.lookupType(name);
  return {
    decode: (bytes) => decode(type, bytes),
    encode: (message) => type.encode(type.fromObject(message)).finish() as Buffer,
  };
}

function loadRoot(): protobuf.Root {
  const loaded = new protobuf.Root();
  loaded.resolvePath = (_origin, target) => PROTO_DIRECTORY + target;
  loaded.loadSync([...PROTO_FILES], { keepCase: true });
  loaded.resolveAll();
  return loaded;
}

function decode(type: protobuf.Type, bytes: Buffer): Message {
  let message;
  try {
    message = type.decode(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const text = `request is not a valid ${type.fullName.slice(1)} message: ${reason}`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }
  return type.toObject(message, { defaults: true, enums: String, longs: Number, oneofs: true });
}
