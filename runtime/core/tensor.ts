// A tensor as it travels: a name, a type, a shape and the raw bytes of the v2 protocol (little-endian, row-major, no padding;
// each BYTES element preceded by its length in four bytes). The bytes are a view on a buffer that somebody else owns.

import type { DataType } from './data-type.js';

export interface Tensor {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Elements of a tensor of this shape; 1 for a scalar (no dimensions). Inexact beyond 2^53, where no tensor is. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

/** "[2,-1,3]", as in Triton's texts. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}

/** The bytes of the elements of all of them. */
export function bytesIn(tensors: readonly Tensor[]): number {
  let bytes = 0;
  for (const { data } of tensors) bytes += data.byteLength;
  return bytes;
}

/** True when the shapes agree in every dimension but the first. */
export function sameRowShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 1; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
