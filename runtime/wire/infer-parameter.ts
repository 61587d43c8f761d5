// Entries of map<string, InferParameter>, read and written. In requests and responses alike it is field 4, in a requested output 2.
// Rare, so they are not counted in advance but written by themselves.

import type { ParameterValue } from '../core/inference.js';
import type { WireReader } from './wire-reader.js';
import { WireWriter, delimitedSize, varintSize } from './wire-writer.js';

/** A value of inference.InferParameter; the type tells the field that was set, undefined that none was. */
export interface WireParameter {
  readonly type: 'bool' | 'int64' | 'string' | 'double' | 'uint64' | undefined;
  readonly value: ParameterValue;
}

/** One entry of a map<string, InferParameter>, into `parameters`; the last of a key counts. */
export function readParameterEntry(
  parameters: Map<string, WireParameter>,
  entry: WireReader,
): void {
  let key = '';
  let parameter: WireParameter = { type: undefined, value: '' };
  while (!entry.done) {
    const tag = entry.tag();
    if (tag === KEY) key = entry.text();
    else if (tag === VALUE) parameter = readParameter(entry.message());
    else entry.skip(tag & 7);
  }
  parameters.set(key, parameter);
}

/** The entries as they stand in a request or a response. Whole numbers go as int64, beyond it as uint64, others as double. */
export function encodeParameters(
  parameters: ReadonlyMap<string, ParameterValue>,
  field = MAP_FIELD,
): Buffer {
  return Buffer.concat([...parameters].map(([key, value]) => entry(field, key, value)));
}

// ---- details below; callers need not read ----

// Field number × 8 + wire type.
const KEY = 0x0a;
const VALUE = 0x12;

const MAP_FIELD = 4;

function readParameter(reader: WireReader): WireParameter {
  let parameter: WireParameter = { type: undefined, value: '' };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x08) parameter = { type: 'bool', value: reader.bool() };
    else if (tag === 0x10)
      parameter = { type: 'int64', value: exact(BigInt.asIntN(64, reader.uint64())) };
    else if (tag === 0x1a) parameter = { type: 'string', value: reader.text() };
    else if (tag === 0x21) parameter = { type: 'double', value: reader.double() };
    else if (tag === 0x28) parameter = { type: 'uint64', value: exact(reader.uint64()) };
    else reader.skip(tag & 7);
  }
  return parameter;
}

function exact(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function entry(field: number, key: string, value: ParameterValue): Buffer {
  const name = Buffer.from(key);
  const parameter = inferParameter(value);
  const size = delimitedSize(name.length) + delimitedSize(parameter.length);
  const writer = new WireWriter(delimitedSize(size));
  writer.delimited(field, size);
  writer.bytes(1, name);
  writer.bytes(2, parameter);
  return writer.buffer;
}

/** InferParameter: bool_param 1, int64_param 2, string_param 3, double_param 4, uint64_param 5. */
function inferParameter(value: ParameterValue): Buffer {
  if (typeof value === 'boolean') return varint(1, Number(value));
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? varint(2, value) : double(4, value);
  if (typeof value === 'bigint') return bigVarint(value);
  const bytes = Buffer.from(value);
  const writer = new WireWriter(delimitedSize(bytes.length));
  writer.bytes(3, bytes);
  return writer.buffer;
}

function varint(field: number, value: number): Buffer {
  const writer = new WireWriter(1 + varintSize(value));
  writer.varint(field * 8);
  writer.varint(value);
  return writer.buffer;
}

function bigVarint(value: bigint): Buffer {
  const fits = BigInt.asIntN(64, value) === value;
  const bytes = [(fits ? 2 : 5) * 8];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(9, field * 8 + 1);
  bytes.writeDoubleLE(value, 1);
  return bytes;
}
