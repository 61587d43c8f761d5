// Writes plain messages as protobuf text format, the way people write it: what fits into a line is one line, lists of scalars
// are lists, fields come in the order of the .proto. The counterpart of text-format.ts, which reads all of it back: a field that
// is there is written, even with its default; one that is absent, null or an empty list is not.

import protobuf from 'protobufjs';
import type { PlainMessage } from './text-format.js';

const WIDTH = 80;

/** Ends in a line feed; '' for a message without fields. */
export function writeText(type: protobuf.Type, message: PlainMessage): string {
  return itemsOf(type, message)
    .map((item) => `${linesOf(item, '')}\n`)
    .join('');
}

/** A value of a field that is no message, as text format has it. */
export function writeScalar(field: protobuf.Field, value: unknown): string {
  if (field.resolvedType instanceof protobuf.Enum) return String(value);
  switch (field.type) {
    case 'string':
      return quoted(Buffer.from(String(value), 'utf8'), UNPRINTABLE_TEXT);
    case 'bytes':
      return quoted(Buffer.from(value as Uint8Array), UNPRINTABLE_BYTES);
    case 'float':
    case 'double':
      return floatText(Number(value));
    default:
      return String(value);
  }
}

// ---- details below; callers need not read ----

/** A field with one value: text, or what its message holds. */
interface Item {
  readonly name: string;
  readonly value: string | readonly Item[];
}

function itemsOf(type: protobuf.Type, message: PlainMessage): Item[] {
  return type.fieldsArray.flatMap((field) => {
    const value = Object.hasOwn(message, field.name) ? message[field.name] : undefined;
    return value === undefined || value === null ? [] : fieldItems(field.resolve(), value);
  });
}

function fieldItems(field: protobuf.Field, value: unknown): Item[] {
  const { name } = field;
  if (field instanceof protobuf.MapField)
    return Object.entries(value as PlainMessage).map(([key, entry]) => ({
      name,
      value: [{ name: 'key', value: keyText(field, key) }, valueItem('value', field, entry)],
    }));
  if (!field.repeated) return [valueItem(name, field, value)];
  const list = value as readonly unknown[];
  if (list.length === 0) return [];
  if (field.resolvedType instanceof protobuf.Type)
    return list.map((element) => valueItem(name, field, element));
  const elements = list.map((element) => writeScalar(field, element));
  return [{ name, value: `[ ${elements.join(', ')} ]` }];
}

function valueItem(name: string, field: protobuf.Field, value: unknown): Item {
  const type = field.resolvedType;
  return type instanceof protobuf.Type
    ? { name, value: itemsOf(type, value as PlainMessage) }
    : { name, value: writeScalar(field, value) };
}

function keyText({ keyType }: protobuf.MapField, key: string): string {
  return keyType === 'string' ? quoted(Buffer.from(key, 'utf8'), UNPRINTABLE_TEXT) : key;
}

function linesOf(item: Item, indent: string): string {
  const line = indent + lineOf(item);
  if (typeof item.value === 'string' || line.length <= WIDTH) return line;
  const inner = item.value.map((nested) => linesOf(nested, `${indent}  `));
  return [`${indent}${item.name} {`, ...inner, `${indent}}`].join('\n');
}

function lineOf({ name, value }: Item): string {
  if (typeof value === 'string') return `${name}: ${value}`;
  return [name, '{', ...value.map(lineOf), '}'].join(' ');
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (Object.is(value, -0)) return '-0';
  return String(value).replace('Infinity', 'inf');
}

const UNPRINTABLE_TEXT = (byte: number): boolean => byte < 0x20 || byte === 0x7f;
const UNPRINTABLE_BYTES = (byte: number): boolean => byte < 0x20 || byte >= 0x7f;
const ESCAPES: Readonly<Record<number, string>> = {
  0x09: '\\t',
  0x0a: '\\n',
  0x0d: '\\r',
  0x22: '\\"',
  0x5c: '\\\\',
};

function quoted(bytes: Buffer, isUnprintable: (byte: number) => boolean): string {
  const parts = [...bytes].map((byte) => {
    const escape = ESCAPES[byte];
    if (escape !== undefined) return Buffer.from(escape);
    return isUnprintable(byte)
      ? Buffer.from(`\\${byte.toString(8).padStart(3, '0')}`)
      : Buffer.of(byte);
  });
  return `"${Buffer.concat(parts).toString('utf8')}"`;
}
