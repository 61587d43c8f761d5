// A configuration as clients receive it -> the plain message that is written, compared and sent back. Clients see camelCase names
// and every field that was not sent with its default; here names are those of the .proto, and what was not sent is absent.

import protobuf from 'protobufjs';
import type { ModelConfigMessage } from './model-config-message.js';
import { modelConfigType } from './model-config-schema.js';
import type { PlainMessage } from './text-format.js';

/** `max_batch_size` is always there: without it, 0 would read as "find out". */
export function receivedConfig(received: Readonly<Record<string, unknown>>): ModelConfigMessage {
  const message: ModelConfigMessage = plainMessage(modelConfigType(), received);
  return { ...message, max_batch_size: message.max_batch_size ?? 0 };
}

// ---- details below; callers need not read ----

function plainMessage(
  type: protobuf.Type,
  received: Readonly<Record<string, unknown>>,
): PlainMessage {
  const message: PlainMessage = {};
  for (const field of type.fieldsArray) {
    const value = plainField(field.resolve(), received[camelCase(field.name)]);
    if (value !== undefined) message[field.name] = value;
  }
  return message;
}

/** Undefined for what was not sent. */
function plainField(field: protobuf.Field, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  if (field.repeated) {
    const list = (value as readonly unknown[]).map((element) => plainValue(field, element));
    return list.length === 0 ? undefined : list;
  }
  if (field instanceof protobuf.MapField) {
    const entries = Object.entries(value as PlainMessage);
    if (entries.length === 0) return undefined;
    return Object.fromEntries(entries.map(([key, entry]) => [key, plainValue(field, entry)]));
  }
  return isDefault(field, value) ? undefined : plainValue(field, value);
}

function plainValue({ resolvedType }: protobuf.Field, value: unknown): unknown {
  return resolvedType instanceof protobuf.Type
    ? plainMessage(resolvedType, value as PlainMessage)
    : value;
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function isDefault(field: protobuf.Field, value: unknown): boolean {
  if (field.resolvedType instanceof protobuf.Enum)
    return value === field.resolvedType.valuesById[0];
  return value === '' || value === 0 || value === false;
}
