// Floating-point outputs that are close enough. Only tensors in raw_output_contents; both sides must agree in datatype and size.

import { isObject, type Json, type JsonObject } from './json.js';
import type { Tolerance } from './rules.js';

const READERS: Record<string, { bytes: number; read(bytes: Buffer, at: number): number }> = {
  FP16: { bytes: 2, read: (bytes, at) => halfToNumber(bytes.readUInt16LE(at)) },
  FP32: { bytes: 4, read: (bytes, at) => bytes.readFloatLE(at) },
  FP64: { bytes: 8, read: (bytes, at) => bytes.readDoubleLE(at) },
};

/** Makes the tensors of two ModelInferResponses equal where their numbers are close; leaves the others as they are. */
export function equateCloseTensors(
  expected: JsonObject,
  actual: JsonObject,
  tolerance: Tolerance,
): void {
  const raw = [rawContentsOf(expected), rawContentsOf(actual)] as const;
  if (raw[0].length !== raw[1].length) return;
  for (let i = 0; i < raw[0].length; i++) {
    const datatype = datatypeOf(expected, i);
    if (datatype !== datatypeOf(actual, i)) continue;
    const numbers = [numbersOf(datatype, raw[0][i]), numbersOf(datatype, raw[1][i])] as const;
    if (!areClose(numbers[0], numbers[1], tolerance)) continue;
    raw[0][i] = raw[1][i] = '(close)';
  }
}

type Numbers = readonly number[] | undefined;

/** |expected - actual| <= atol + rtol * |actual|; NaN is close to NaN, an infinity only to itself. */
function areClose(
  expected: Numbers,
  actual: Numbers,
  { rtol = 1e-5, atol = 1e-6 }: Tolerance,
): boolean {
  if (!expected || expected.length !== actual?.length) return false;
  return expected.every((wanted, i) => {
    const came = actual[i]!;
    if (Object.is(wanted, came) || wanted === came) return true;
    return Number.isFinite(came) && Math.abs(wanted - came) <= atol + rtol * Math.abs(came);
  });
}

function numbersOf(datatype: Json | undefined, base64: Json | undefined): Numbers {
  const reader = typeof datatype === 'string' ? READERS[datatype] : undefined;
  if (!reader || typeof base64 !== 'string') return undefined;
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length % reader.bytes !== 0) return undefined;
  return Array.from({ length: bytes.length / reader.bytes }, (_, i) =>
    reader.read(bytes, i * reader.bytes),
  );
}

function rawContentsOf(response: JsonObject): Json[] {
  const raw = response['raw_output_contents'];
  return Array.isArray(raw) ? raw : [];
}

function datatypeOf(response: JsonObject, index: number): Json | undefined {
  const outputs = response['outputs'];
  const output = Array.isArray(outputs) ? outputs[index] : undefined;
  return isObject(output) ? output['datatype'] : undefined;
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
