// Outputs as the value of a key in Redis: the length of a header (four bytes, little-endian), the header (JSON: name, type, shape
// and bytes of each output), the data. Whoever can write to that Redis may have written it, so everything is checked.

import { dataTypeFromName, elementBytes } from '../core/data-type.js';
import { bytesIn, elementCount, type Tensor } from '../core/tensor.js';

const LENGTH_BYTES = 4;

export function encodeOutputs(outputs: readonly Tensor[]): Buffer {
  const header = Buffer.from(
    JSON.stringify(
      outputs.map(({ name, dataType, shape, data }) => [name, dataType, shape, data.byteLength]),
    ),
  );
  const value = Buffer.allocUnsafeSlow(LENGTH_BYTES + header.length + bytesIn(outputs));
  value.writeUInt32LE(header.length);
  value.set(header, LENGTH_BYTES);
  let at = LENGTH_BYTES + header.length;
  for (const { data } of outputs) {
    value.set(data, at);
    at += data.byteLength;
  }
  return value;
}

/** Views on `value`; undefined for what encodeOutputs has not made. */
export function decodeOutputs(value: Buffer): readonly Tensor[] | undefined {
  const rows = readHeader(value);
  if (!rows) return undefined;
  let at = LENGTH_BYTES + value.readUInt32LE();
  const outputs: Tensor[] = [];
  for (const row of rows) {
    const spec = readRow(row);
    if (!spec || at + spec.bytes > value.length) return undefined;
    const { name, dataType, shape, bytes } = spec;
    const data = new Uint8Array(value.buffer, value.byteOffset + at, bytes);
    outputs.push({ name, dataType, shape, data });
    at += bytes;
  }
  return at === value.length ? outputs : undefined;
}

// ---- details below; callers need not read ----

function readHeader(value: Buffer): readonly unknown[] | undefined {
  if (value.length < LENGTH_BYTES) return undefined;
  const end = LENGTH_BYTES + value.readUInt32LE();
  if (end > value.length) return undefined;
  try {
    const rows: unknown = JSON.parse(value.toString('utf8', LENGTH_BYTES, end));
    return Array.isArray(rows) ? rows : undefined;
  } catch {
    return undefined;
  }
}

function readRow(row: unknown): (Omit<Tensor, 'data'> & { bytes: number }) | undefined {
  if (!Array.isArray(row) || row.length !== 4) return undefined;
  const [name, type, shape, bytes] = row as unknown[];
  if (typeof name !== 'string' || typeof type !== 'string') return undefined;
  const dataType = dataTypeFromName(type);
  if (dataType === 'INVALID' || !isSize(bytes) || !isShape(shape)) return undefined;
  const each = elementBytes(dataType);
  if (each > 0 && bytes !== each * elementCount(shape)) return undefined;
  return { name, dataType, shape, bytes };
}

function isShape(shape: unknown): shape is number[] {
  return Array.isArray(shape) && shape.every(isSize);
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
