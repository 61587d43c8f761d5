// Values of scalar fields in protobuf text format.

import protobuf from 'protobufjs';
import type { TextToken } from './text-token.js';

export type ScalarReading = { readonly value: unknown } | { readonly problem: string };

/** The value of `field` that `token` stands for, `negative` when a minus came before it. */
export function scalarFromToken(
  field: protobuf.Field,
  token: TextToken,
  negative: boolean,
): ScalarReading {
  const text = (negative ? '-' : '') + token.text;
  if (field.resolvedType instanceof protobuf.Enum) return enumFrom(field.resolvedType, token, text);
  switch (field.type) {
    case 'string':
    case 'bytes':
      return negative ? wrong(field.type, text) : textFrom(field.type, token);
    case 'bool':
      return boolFrom(text, token);
    case 'float':
    case 'double':
      return floatFrom(field.type, token, negative);
    default:
      return integerFrom(field.type, token, text);
  }
}

function wrong(expected: string, text: string): ScalarReading {
  return { problem: `expected a value of type ${expected}, got ${text}` };
}

function enumFrom(type: protobuf.Enum, token: TextToken, text: string): ScalarReading {
  if (token.kind === 'identifier' && Object.hasOwn(type.values, text)) return { value: text };
  const name = token.kind === 'number' ? type.valuesById[Number(text)] : undefined;
  if (name !== undefined) return { value: name };
  return { problem: `expected one of ${Object.keys(type.values).join(', ')}, got ${text}` };
}

function textFrom(type: 'string' | 'bytes', token: TextToken): ScalarReading {
  if (token.kind !== 'string') return wrong(type, token.text);
  if (type === 'bytes') return { value: token.bytes };
  try {
    return {
      value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(token.bytes),
    };
  } catch {
    return { problem: `expected UTF-8 text, got ${token.text}` };
  }
}

const TRUE = ['true', 'True', 't', '1'];
const FALSE = ['false', 'False', 'f', '0'];

function boolFrom(text: string, token: TextToken): ScalarReading {
  if (token.kind !== 'string' && TRUE.includes(text)) return { value: true };
  if (token.kind !== 'string' && FALSE.includes(text)) return { value: false };
  return wrong('bool (true or false)', text);
}

function floatFrom(type: string, token: TextToken, negative: boolean): ScalarReading {
  const sign = negative ? -1 : 1;
  if (token.kind === 'number' && !/^0[xX]/.test(token.text))
    return { value: sign * Number(token.text.replace(/[fF]$/, '')) };
  const name = token.kind === 'identifier' ? token.text.toLowerCase() : '';
  if (name === 'inf' || name === 'infinity') return { value: sign * Infinity };
  if (name === 'nan') return { value: NaN };
  return wrong(type, (negative ? '-' : '') + token.text);
}

const INTEGER = /^(?:0[xX][0-9A-Fa-f]+|0o[0-7]+|0|[1-9]\d*)$/;

function integerFrom(type: string, token: TextToken, text: string): ScalarReading {
  // Text format writes octal numbers with a leading 0, BigInt wants 0o.
  const digits = token.text.replace(/^0(?=[0-7]+$)/, '0o');
  if (token.kind !== 'number' || !INTEGER.test(digits)) return wrong(type, text);
  return integerInRange(type, text.startsWith('-') ? -BigInt(digits) : BigInt(digits));
}

/** As a number, or as a decimal string beyond 2^53. */
export function integerInRange(type: string, value: bigint): ScalarReading {
  const [low, high] = integerRange(type);
  if (value < low || value > high)
    return { problem: `expected a value of type ${type} (${low} to ${high}), got ${value}` };
  return { value: Number.isSafeInteger(Number(value)) ? Number(value) : value.toString() };
}

function integerRange(type: string): [low: bigint, high: bigint] {
  const bits = type.endsWith('64') ? 64n : 32n;
  if (type.startsWith('u') || type.startsWith('fixed')) return [0n, (1n << bits) - 1n];
  return [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
}
