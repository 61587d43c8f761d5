// Elements of BYTES tensors on the wire: each preceded by its length in 4 bytes, little-endian.

import { InferdError } from './inferd-error.js';

export function encodeElements(elements: readonly (string | Uint8Array)[]): Buffer {
  let size = 0;
  for (const element of elements) size += 4 + byteLength(element);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const element of elements) {
    const length = byteLength(element);
    bytes.writeUInt32LE(length, at);
    if (typeof element === 'string') bytes.write(element, at + 4, 'utf8');
    else bytes.set(element, at + 4);
    at += 4 + length;
  }
  return bytes;
}

/** Views, not copies. */
export function decodeElements(bytes: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 <= bytes.length ? at + 4 + bytes.readUInt32LE(at) : Infinity;
    if (end > bytes.length)
      throw new InferdError(
        'INTERNAL',
        'the answer has a BYTES output that ends within an element',
      );
    elements.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return elements;
}

function byteLength(element: string | Uint8Array): number {
  return typeof element === 'string' ? Buffer.byteLength(element) : element.length;
}
