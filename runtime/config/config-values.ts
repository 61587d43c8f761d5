// A configuration as a list of its values, each under its path: what can be compared, and shown with where it comes from.
//
//   max_batch_size = 4    input[0].dims = [ 64 ]    parameters["k"].string_value = "v"    dynamic_batching = { }
//
// A list of scalars is one value, and so is a message without fields.

import protobuf from 'protobufjs';
import { modelConfigType } from './model-config-schema.js';
import type { PlainMessage } from './text-format.js';
import { writeScalar } from './text-writer.js';

/** By path, in the order of the .proto; values as text format has them. Absent fields, null and empty lists are not in it. */
export function configValues(message: PlainMessage): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  collect(modelConfigType(), message, { prefix: '', values });
  return values;
}

/** What a field that was not sent has, as the wire drops zeros. '' for a path that leads to no scalar. */
export function unsentValue(path: string): string {
  const names = path.replaceAll(/\[(?:\d+|"(?:[^"\\]|\\.)*")\]/g, '').split('.');
  let type: protobuf.Type | undefined = modelConfigType();
  let field: protobuf.Field | undefined;
  for (const name of names) {
    if (!type || !Object.hasOwn(type.fields, name)) return '';
    field = type.fields[name]!.resolve();
    type = field.resolvedType instanceof protobuf.Type ? field.resolvedType : undefined;
  }
  if (!field || type) return '';
  if (field.resolvedType instanceof protobuf.Enum) return field.resolvedType.valuesById[0] ?? '';
  return { string: '""', bytes: '""', bool: 'false' }[field.type] ?? '0';
}

// ---- details below; callers need not read ----

interface Collection {
  readonly prefix: string;
  readonly values: Map<string, string>;
}

function collect(type: protobuf.Type, message: PlainMessage, into: Collection): void {
  for (const field of type.fieldsArray) {
    const value = Object.hasOwn(message, field.name) ? message[field.name] : undefined;
    if (value === undefined || value === null) continue;
    collectField(field.resolve(), value, { ...into, prefix: into.prefix + field.name });
  }
}

function collectField(field: protobuf.Field, value: unknown, { prefix, values }: Collection): void {
  const at = (prefix: string): Collection => ({ prefix, values });
  if (field instanceof protobuf.MapField) {
    for (const [key, entry] of Object.entries(value as PlainMessage))
      collectOne(field, entry, at(`${prefix}[${JSON.stringify(key)}]`));
  } else if (!field.repeated) {
    collectOne(field, value, at(prefix));
  } else {
    const list = value as readonly unknown[];
    if (field.resolvedType instanceof protobuf.Type)
      list.forEach((element, index) => collectOne(field, element, at(`${prefix}[${index}]`)));
    else if (list.length > 0)
      values.set(prefix, `[ ${list.map((element) => writeScalar(field, element)).join(', ')} ]`);
  }
}

function collectOne(field: protobuf.Field, value: unknown, { prefix, values }: Collection): void {
  if (!(field.resolvedType instanceof protobuf.Type)) {
    values.set(prefix, writeScalar(field, value));
    return;
  }
  const before = values.size;
  collect(field.resolvedType, value as PlainMessage, { prefix: `${prefix}.`, values });
  if (values.size === before) values.set(prefix, '{ }');
}
