// Reads the JSON form of a protobuf message into the same plain objects as text-format.ts, driven by the same descriptors.
// Strict, and tells everything that is wrong. Fields go by their name in the .proto or in camel case; null is absent.

import protobuf from 'protobufjs';
import type { ConfigProblem } from './config-problem.js';
import { scalarFromJson, shown } from './json-scalar.js';
import type { PlainMessage } from './text-format.js';
import { unknownField } from './unknown-field.js';

export interface JsonReading {
  readonly message: PlainMessage;
  /** In the order of the text; empty when it is good. */
  readonly problems: readonly ConfigProblem[];
}

export function readJson(type: protobuf.Type, source: string): JsonReading {
  let json: unknown;
  try {
    json = JSON.parse(source);
  } catch (error) {
    const message = `the configuration is not JSON: ${error instanceof Error ? error.message : String(error)}`;
    return { message: {}, problems: [{ path: '', message }] };
  }
  const reader = new JsonReader();
  return { message: reader.message(type, json, '') ?? {}, problems: reader.problems };
}

// ---- details below; callers need not read ----

type JsonObject = Readonly<Record<string, unknown>>;

class JsonReader {
  readonly problems: ConfigProblem[] = [];

  /** Undefined, here and below: a problem was noted. */
  message(type: protobuf.Type, json: unknown, path: string): PlainMessage | undefined {
    if (!isObject(json)) {
      this.#problem(path, `expected an object (message ${type.name}), got ${shown(json)}`);
      return undefined;
    }
    const message: PlainMessage = {};
    for (const [key, value] of Object.entries(json)) {
      const at = path === '' ? key : `${path}.${key}`;
      const field = fieldsByJsonName(type).get(key);
      if (!field) this.#problem(at, unknownField(type, key));
      else if (value !== null) this.#field(message, field, { json: value, path: at });
    }
    return message;
  }

  #field(message: PlainMessage, field: protobuf.Field, at: { json: unknown; path: string }): void {
    if (field.name in message)
      this.#problem(at.path, `field '${field.name}' is given more than once`);
    const other = field.partOf?.fieldsArray.find(({ name }) => name in message);
    if (other)
      this.#problem(at.path, `field '${field.name}' excludes '${other.name}', given above`);
    const value = this.#fieldValue(field, at.json, at.path);
    if (value !== undefined) message[field.name] = value;
  }

  #fieldValue(field: protobuf.Field, json: unknown, path: string): unknown {
    if (field instanceof protobuf.MapField) return this.#map(field, json, path);
    if (!field.repeated) return this.#value(field, json, path);
    if (Array.isArray(json))
      return json.flatMap((element, index) => {
        const value = this.#value(field, element, `${path}[${index}]`);
        return value === undefined ? [] : [value];
      });
    this.#problem(path, `field '${field.name}' takes a list, got ${shown(json)}`);
    return undefined;
  }

  #map(field: protobuf.MapField, json: unknown, path: string): PlainMessage | undefined {
    if (!isObject(json)) {
      this.#problem(path, `field '${field.name}' takes an object, got ${shown(json)}`);
      return undefined;
    }
    const keyField = new protobuf.Field('key', 1, field.keyType);
    const entries = Object.entries(json).flatMap(([key, element]): [string, unknown][] => {
      const at = `${path}["${key}"]`;
      const isKey = this.#value(keyField, key, at) !== undefined;
      const value = this.#value(field, element, at);
      return isKey && value !== undefined ? [[key, value]] : [];
    });
    // Not assignments: a key named "__proto__" is a key like any other.
    return Object.fromEntries(entries);
  }

  #value(field: protobuf.FieldBase, json: unknown, path: string): unknown {
    if (field.resolvedType instanceof protobuf.Type)
      return this.message(field.resolvedType, json, path);
    const reading = scalarFromJson(field, json);
    if ('value' in reading) return reading.value;
    this.#problem(path, reading.problem);
    return undefined;
  }

  #problem(path: string, message: string): void {
    this.problems.push({ path, message });
  }
}

function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

const fieldsOfType = new WeakMap<protobuf.Type, ReadonlyMap<string, protobuf.Field>>();

function fieldsByJsonName(type: protobuf.Type): ReadonlyMap<string, protobuf.Field> {
  let fields = fieldsOfType.get(type);
  if (!fields) {
    const pairs = type.fieldsArray.flatMap((field): [string, protobuf.Field][] => {
      const resolved = field.resolve();
      return [
        [field.name, resolved],
        [protobuf.util.jsonName(field.name), resolved],
      ];
    });
    fieldsOfType.set(type, (fields = new Map(pairs)));
  }
  return fields;
}
