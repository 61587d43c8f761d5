// The numbers in the raw bytes of a tensor, each exactly: integers of 64 bits as bigints, halves as the doubles that they are.

import type { DataType } from './data-type.js';

export type ElementReader = (view: DataView, at: number) => number | bigint;

/** Undefined for types that hold no numbers. */
export function elementReader(type: DataType): ElementReader | undefined {
  return READERS[type];
}

// ---- details below; callers need not read ----

const READERS: Readonly<Partial<Record<DataType, ElementReader>>> = {
  BOOL: (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
  UINT8: (view, at) => view.getUint8(at),
  UINT16: (view, at) => view.getUint16(at, true),
  UINT32: (view, at) => view.getUint32(at, true),
  UINT64: (view, at) => view.getBigUint64(at, true),
  INT8: (view, at) => view.getInt8(at),
  INT16: (view, at) => view.getInt16(at, true),
  INT32: (view, at) => view.getInt32(at, true),
  INT64: (view, at) => view.getBigInt64(at, true),
  FP16: (view, at) => half(view.getUint16(at, true)),
  FP32: (view, at) => view.getFloat32(at, true),
  FP64: (view, at) => view.getFloat64(at, true),
  BF16: (view, at) => {
    SCRATCH.setUint32(0, view.getUint16(at, true) << 16);
    return SCRATCH.getFloat32(0);
  },
};

const SCRATCH = new DataView(new ArrayBuffer(4));

/** One bit of sign, five of exponent, ten of fraction. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (fraction + 0x400) * 2 ** (exponent - 25);
}
