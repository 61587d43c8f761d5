// Parameters of a response: map<string, InferParameter>, field 4 of ModelInferResponse. Rare, so they are not counted in advance but
// written by themselves.

import type { ResponseParameter } from '../core/inference.js';
import { WireWriter, delimitedSize, varintSize } from './wire-writer.js';

const MAP_FIELD = 4;

type Parameters = ReadonlyMap<string, ResponseParameter>;

/** The entries as they stand in the message. Nobody changes the bytes, nor the parameters afterwards. */
export function encodeParameters(parameters: Parameters): Buffer {
  if (parameters !== last.parameters)
    last = { parameters, bytes: Buffer.concat([...parameters].map(([k, v]) => entry(k, v))) };
  return last.bytes;
}

// ---- details below; callers need not read ----

/** A model with policies says the same in most of its answers, with one and the same map. */
let last: { readonly parameters?: Parameters; readonly bytes: Buffer } = { bytes: Buffer.alloc(0) };

function entry(key: string, value: ResponseParameter): Buffer {
  const name = Buffer.from(key);
  const parameter = inferParameter(value);
  const size = delimitedSize(name.length) + delimitedSize(parameter.length);
  const writer = new WireWriter(delimitedSize(size));
  writer.delimited(MAP_FIELD, size);
  writer.bytes(1, name);
  writer.bytes(2, parameter);
  return writer.buffer;
}

/** InferParameter: bool_param 1, int64_param 2, string_param 3, double_param 4. */
function inferParameter(value: ResponseParameter): Buffer {
  if (typeof value === 'boolean') return varint(1, Number(value));
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? varint(2, value) : double(4, value);
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

function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(9, field * 8 + 1);
  bytes.writeDoubleLE(value, 1);
  return bytes;
}
