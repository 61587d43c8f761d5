// Values of scalar fields in the JSON form of protobuf messages (https://protobuf.dev/programming-guides/json/).

import protobuf from 'protobufjs';
import { integerInRange, type ScalarReading } from './text-scalar.js';

export function scalarFromJson(field: protobuf.FieldBase, json: unknown): ScalarReading {
  if (field.resolvedType instanceof protobuf.Enum) return enumFrom(field.resolvedType, json);
  switch (field.type) {
    case 'string':
      return typeof json === 'string' ? { value: json } : wrong('string', json);
    case 'bytes':
      return bytesFrom(json);
    case 'bool':
      return typeof json === 'boolean' ? { value: json } : wrong('bool (true or false)', json);
    case 'float':
    case 'double':
      return floatFrom(field.type, json);
    default:
      return integerFrom(field.type, json);
  }
}

// ---- details below; callers need not read ----

function wrong(expected: string, json: unknown): ScalarReading {
  return { problem: `expected a value of type ${expected}, got ${shown(json)}` };
}

const SHOWN_LENGTH = 60;

/** For a sentence on what is wrong with it; cut. */
export function shown(json: unknown): string {
  if (typeof json === 'object' && json !== null)
    return Array.isArray(json) ? 'a list' : 'an object';
  const text = JSON.stringify(json);
  return text.length <= SHOWN_LENGTH ? text : `${text.slice(0, SHOWN_LENGTH)}…`;
}

function enumFrom(type: protobuf.Enum, json: unknown): ScalarReading {
  if (typeof json === 'string' && Object.hasOwn(type.values, json)) return { value: json };
  const name = typeof json === 'number' ? type.valuesById[json] : undefined;
  if (name !== undefined) return { value: name };
  return { problem: `expected one of ${Object.keys(type.values).join(', ')}, got ${shown(json)}` };
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

function bytesFrom(json: unknown): ScalarReading {
  if (typeof json !== 'string' || !BASE64.test(json)) return wrong('bytes (base64)', json);
  return { value: Buffer.from(json, 'base64') };
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const FLOAT_NAMES = ['NaN', 'Infinity', '-Infinity'];

function floatFrom(type: string, json: unknown): ScalarReading {
  if (typeof json === 'number') return { value: json };
  if (typeof json === 'string' && (NUMBER.test(json) || FLOAT_NAMES.includes(json)))
    return { value: Number(json) };
  return wrong(type, json);
}

const INTEGER = /^-?(?:0|[1-9]\d*)$/;

function integerFrom(type: string, json: unknown): ScalarReading {
  if (typeof json === 'string' && INTEGER.test(json)) return integerInRange(type, BigInt(json));
  if (typeof json !== 'number' || !Number.isInteger(json)) return wrong(type, json);
  if (Number.isSafeInteger(json)) return integerInRange(type, BigInt(json));
  // It has been rounded as it was parsed.
  return { problem: `a whole number beyond 2^53 must be written as a string, got ${shown(json)}` };
}
