// Messages in protobuf's JSON mapping, as the transcripts hold them: names as in the .proto, bytes in base64, 64-bit integers as
// text, enum values by name, and no member for a field without presence that has its default value.

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { isObject, type Json, type JsonObject } from './json.js';

export interface RpcMethod {
  /** Such as "/inference.GRPCInferenceService/ModelInfer". */
  readonly path: string;
  readonly request: protobuf.Type;
  readonly response: protobuf.Type;
  readonly requestStream: boolean;
}

const PROTO_DIRECTORY = fileURLToPath(new URL('../../../proto/', import.meta.url));
/** Fields from here on are inferd's. */
const FIRST_OWN_FIELD = 1001;
const SERVICES = ['inference.GRPCInferenceService', 'grpc.health.v1.Health'];

/** All messages, enums and services of proto/. */
export function loadProto(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => PROTO_DIRECTORY + target;
  root.loadSync(['grpc_service.proto', 'health.proto'], { keepCase: true });
  root.resolveAll();
  return root;
}

/** The methods of all services by their short names, as the transcripts call them. */
export function rpcMethods(root: protobuf.Root): ReadonlyMap<string, RpcMethod> {
  const methods = SERVICES.flatMap((service) => root.lookupService(service).methodsArray);
  return new Map(
    methods.map((method) => {
      const { parent, name, resolvedRequestType: request, resolvedResponseType: response } = method;
      if (!parent || !request || !response) throw new Error('unresolved. This is a bug.');
      const path = `/${parent.fullName.slice(1)}/${name}`;
      return [name, { path, request, response, requestStream: method.requestStream === true }];
    }),
  );
}

/** @throws when the type has no such field */
export function encodeJson(type: protobuf.Type, json: JsonObject): Buffer {
  refuseUnknownFields(type, json);
  return Buffer.from(type.encode(type.fromObject(json)).finish());
}

export function decodeJson(type: protobuf.Type, bytes: Buffer): JsonObject {
  const options = { longs: String, enums: String, bytes: String, json: true };
  const json: JsonObject = type.toObject(type.decode(bytes), options);
  asTritons(type, json);
  return json;
}

function refuseUnknownFields(type: protobuf.Type, json: JsonObject): void {
  for (const [name, value] of Object.entries(json)) {
    const field = type.fields[name];
    if (!field) throw new Error(`${type.fullName} has no field ${name}`);
    const { resolvedType } = field;
    if (!(resolvedType instanceof protobuf.Type)) continue;
    for (const item of itemsOf(field, value))
      if (isObject(item)) refuseUnknownFields(resolvedType, item);
  }
}

/**
 * Clients of Triton do not see fields of our own, and neither do the transcripts. A float reads as the shortest number that is the
 * same float: 0.1, not 0.10000000149011612.
 */
function asTritons(type: protobuf.Type, json: JsonObject): void {
  for (const [name, value] of Object.entries(json)) {
    const field = type.fields[name]!;
    if (field.id >= FIRST_OWN_FIELD) {
      Reflect.deleteProperty(json, name);
    } else if (field.resolvedType instanceof protobuf.Type) {
      for (const item of itemsOf(field, value)) asTritons(field.resolvedType, item as JsonObject);
    } else if (field.type === 'float' && !field.map) {
      json[name] = Array.isArray(value) ? value.map(shortestFloat) : shortestFloat(value);
    }
  }
}

function shortestFloat(value: Json): Json {
  if (typeof value !== 'number') return value;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

function itemsOf(field: protobuf.Field, value: Json): Json[] {
  if (Array.isArray(value)) return value;
  return field.map && isObject(value) ? Object.values(value) : [value];
}
