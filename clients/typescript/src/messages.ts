// The messages of proto/, which is the only place that says what they are: read at the first call, by protobufjs.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { InferdError } from './inferd-error.js';

/** Beside the built package; in the repository, at its root. */
const DIRECTORIES = ['./proto/', '../../../proto/'];
const FILES = ['grpc_service.proto', 'health.proto', 'inferd_control.proto'];

/** A message as a plain object with camelCase names. Bytes are views, absent fields have their defaults. */
export type Message = object;

let root: protobuf.Root | undefined;

/** `name` with its package, such as "inference.ModelReadyRequest". */
export function encode(name: string, message: Message): Buffer {
  return typeOf(name).encode(message).finish() as Buffer;
}

/** 64-bit integers become `longs`: numbers are near beyond 2^53, bigints are exact. */
export function decode(
  name: string,
  bytes: Buffer,
  longs: typeof Number | typeof BigInt = Number,
): Message {
  const type = typeOf(name);
  return type.toObject(decoded(type, bytes), {
    arrays: true,
    objects: true,
    defaults: true,
    enums: String,
    longs,
  });
}

function decoded(type: protobuf.Type, bytes: Buffer): protobuf.Message {
  try {
    return type.decode(bytes);
  } catch (cause) {
    const text = `the answer is no ${type.name}: ${(cause as Error).message}`;
    throw new InferdError('INTERNAL', text, { cause });
  }
}

function typeOf(name: string): protobuf.Type {
  root ??= loadRoot();
  return root.lookupType(name);
}

function loadRoot(): protobuf.Root {
  const urls = DIRECTORIES.map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const directory = urls.find((path) => existsSync(path));
  if (directory === undefined)
    throw new Error(`proto/ is missing beside ${urls[0]!}; install inferd-client again`);
  const loaded = new protobuf.Root();
  loaded.resolvePath = (_origin, target) => directory + target;
  loaded.loadSync(FILES);
  loaded.resolveAll();
  return loaded;
}
