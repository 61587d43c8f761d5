// The little of the protobuf wire format (https://protobuf.dev/programming-guides/encoding/) that reading and changing an ONNX
// file takes. ONNX files are large and almost all of it is weights, so reading skips from field to field in the file.

import { readSync } from 'node:fs';
import { RuntimeError } from '../core/errors.js';

const WINDOW_BYTES = 64 * 1024;

/** A field of a message: its number, and where its content lies. For a varint, `value` is the content. */
export interface WireField {
  readonly number: number;
  /** 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  readonly wireType: number;
  readonly value: number;
  /** First byte of the field, its tag. */
  readonly start: number;
  /** First byte of the content, and the one after it. */
  readonly from: number;
  readonly to: number;
}

/** Random access to a file, through a window, so that skipping weights reads nothing. */
export class WireFile {
  readonly size: number;
  readonly #fd: number;
  readonly #window = Buffer.allocUnsafe(WINDOW_BYTES);
  #windowStart = 0;
  #windowEnd = 0;

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.size = size;
  }

  /** The fields of the message in [from, to). @throws RuntimeError INVALID_ARGUMENT when that is no protobuf message */
  *fields(from: number, to: number): Generator<WireField> {
    let at = from;
    while (at < to) {
      const field = this.#field(at);
      if (field.to > to || field.to <= at) throw malformed(at);
      yield field;
      at = field.to;
    }
  }

  text({ from, to }: WireField): string {
    return this.bytes(from, to).toString('utf8');
  }

  bytes(from: number, to: number): Buffer {
    if (to > this.size) throw malformed(from);
    const bytes = Buffer.allocUnsafe(to - from);
    for (let done = 0; done < bytes.length;) {
      const read = readSync(this.#fd, bytes, done, bytes.length - done, from + done);
      if (read === 0) throw malformed(from);
      done += read;
    }
    return bytes;
  }

  #field(start: number): WireField {
    const tag = this.#varint(start);
    const wireType = tag.value % 8;
    const number = Math.floor(tag.value / 8);
    if (wireType === 0) {
      const { value, to } = this.#varint(tag.to);
      return { number, wireType, value, start, from: tag.to, to };
    }
    if (wireType === 2) {
      const length = this.#varint(tag.to);
      return { number, wireType, value: 0, start, from: length.to, to: length.to + length.value };
    }
    if (wireType !== 1 && wireType !== 5) throw malformed(start);
    return {
      number,
      wireType,
      value: 0,
      start,
      from: tag.to,
      to: tag.to + (wireType === 1 ? 8 : 4),
    };
  }

  #varint(at: number): { value: number; to: number } {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = this.#byte(at + i);
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return { value, to: at + i + 1 };
    }
    throw malformed(at);
  }

  #byte(at: number): number {
    if (at >= this.size) throw malformed(at);
    if (at < this.#windowStart || at >= this.#windowEnd) {
      this.#windowStart = at;
      this.#windowEnd = at + readSync(this.#fd, this.#window, 0, WINDOW_BYTES, at);
      if (this.#windowEnd === at) throw malformed(at);
    }
    return this.#window[at - this.#windowStart]!;
  }
}

function malformed(at: number): RuntimeError {
  return new RuntimeError('INVALID_ARGUMENT', `not an ONNX model: no protobuf field at byte ${at}`);
}

/** A length-delimited field. */
export function wireBytes(number: number, content: Uint8Array | string): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([wireVarint(number * 8 + 2), wireVarint(bytes.length), bytes]);
}

export function wireNumber(number: number, value: number): Buffer {
  return Buffer.concat([wireVarint(number * 8), wireVarint(value)]);
}

function wireVarint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}
