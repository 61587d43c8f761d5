// Values of the data types of the protocol: in the raw form, and as the typed lists of InferTensorContents.

import type { Random } from './random.js';
import {
  DELIMITED,
  bytesField,
  encodeVarint,
  type Text,
  type WireField,
  type WireItem,
} from './wire-field.js';

/** Bytes of an element; 0: as many as its length prefix says. */
export const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: 0,
};

/** The field of InferTensorContents for a type; FP16 and BF16 have none. */
export const LIST_FIELD: Readonly<Record<string, number>> = {
  BOOL: 1,
  INT8: 2,
  INT16: 2,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT16: 4,
  UINT32: 4,
  UINT64: 5,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
};

const TEXTS = [
  '',
  'a',
  'zebra',
  'Ünïcödé',
  '日本語',
  '🦓',
  'two words',
  'x'.repeat(300),
  '\n\t"\\',
];

/** Elements whose every bit comes back from an identity model. */
export function randomRaw(type: string, elements: number, random: Random): Buffer {
  if (type === 'BYTES')
    return stringsRaw(Array.from({ length: elements }, () => random.pick(TEXTS)));
  if (type === 'BF16') return withoutNans(random.bytes(2 * elements));
  if (type === 'BOOL') return Buffer.from(random.bytes(elements).map((byte) => byte & 1));
  return random.bytes(elements * ELEMENT_BYTES[type]!);
}

export function stringsRaw(elements: readonly Text[]): Buffer {
  const parts = elements.map((element) => Buffer.from(element as string));
  return Buffer.concat(parts.flatMap((part) => [lengthPrefix(part.length), part]));
}

export function lengthPrefix(length: number): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(length >>> 0);
  return prefix;
}

export function stringsOf(raw: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  for (let at = 0; at < raw.length;) {
    const from = at + 4;
    at = from + raw.readUInt32LE(at);
    elements.push(raw.subarray(from, at));
  }
  return elements;
}

export function fp32Raw(values: readonly number[]): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}

export function int32Raw(values: readonly number[]): Buffer {
  return Buffer.from(Int32Array.from(values).buffer);
}

export function int64Raw(values: readonly number[]): Buffer {
  return Buffer.from(BigInt64Array.from(values.map(BigInt)).buffer);
}

/** The same values as a typed list, for the types that have one. */
export function listOf(type: string, raw: Buffer): WireItem[] {
  const field = LIST_FIELD[type]!;
  if (type === 'BYTES') return stringsOf(raw).map((element) => bytesField(field, element));
  return [packedList(field, packedBytes(type, raw))];
}

export function packedList(field: number, packed: Buffer): WireField {
  return { number: field, wireType: DELIMITED, value: packed };
}

export function packedVarints(values: readonly bigint[]): Buffer {
  return Buffer.concat(values.map((value) => encodeVarint(value)));
}

// ---- details below; callers need not read ----

/** A BF16 passes through ONNX Runtime as a FLOAT, and all its NaNs come back as the same one. */
function withoutNans(raw: Buffer): Buffer {
  for (let at = 0; at < raw.length; at += 2)
    if ((raw.readUInt16LE(at) & 0x7f80) === 0x7f80) raw[at + 1]! &= 0xbf;
  return raw;
}

/** Floats are packed as they are, integers as varints. */
function packedBytes(type: string, raw: Buffer): Buffer {
  if (type === 'FP32' || type === 'FP64') return raw;
  const bytes = ELEMENT_BYTES[type]!;
  const values = Array.from({ length: raw.length / bytes }, (_, i) =>
    integerAt(raw.subarray(i * bytes, (i + 1) * bytes), type.startsWith('INT')),
  );
  return packedVarints(values);
}

function integerAt(bytes: Buffer, signed: boolean): bigint {
  const padded = Buffer.alloc(8);
  bytes.copy(padded);
  const value = padded.readBigUInt64LE();
  return signed ? BigInt.asIntN(8 * bytes.length, value) : value;
}
