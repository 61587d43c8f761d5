// Reads protobuf messages (https://protobuf.dev/programming-guides/encoding/) from a buffer, for the messages of the hot path.
// Compared with protobufjs' Reader: a 64-bit integer is a number and not an object, and bytes are always views.

import { isUtf8 } from 'node:buffer';
import { RuntimeError } from '../core/errors.js';

export const VARINT = 0;
export const FIXED64 = 1;
export const DELIMITED = 2;
export const FIXED32 = 5;

export class WireReader {
  readonly buffer: Buffer;
  /** Next byte to read. */
  at: number;
  /** The byte after the message. */
  readonly end: number;

  constructor(buffer: Buffer, at = 0, end = buffer.length) {
    this.buffer = buffer;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** Field number × 8 + wire type. */
  tag(): number {
    const tag = this.uint32();
    if (tag < 8) throw malformed('field number 0', this.at);
    return tag;
  }

  /** The low 32 bits of a varint. */
  uint32(): number {
    const byte = this.#byte();
    return byte < 0x80 ? byte : this.#uint32Rest(byte & 0x7f);
  }

  /** A two's complement 64-bit varint as a number: exact up to 2^53, near beyond. */
  int64(): number {
    const byte = this.#byte();
    if (byte < 0x80) return byte;
    this.at--;
    return Number(BigInt.asIntN(64, this.uint64()));
  }

  uint64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed('varint longer than 10 bytes', this.at);
  }

  bool(): boolean {
    return this.uint64() !== 0n;
  }

  double(): number {
    const from = this.#advance(8);
    return this.buffer.readDoubleLE(from);
  }

  /** @throws RuntimeError for what is no UTF-8, as proto3 wants it */
  text(): string {
    const length = this.uint32();
    const from = this.#advance(length);
    if (length === 0) return '';
    const text = this.buffer.toString('utf8', from, this.at);
    // What cannot be decoded becomes U+FFFD; that may also have been sent.
    if (text.includes('\ufffd') && !isUtf8(this.buffer.subarray(from, this.at)))
      throw malformed('text that is no UTF-8', from);
    return text;
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    const from = this.#advance(this.uint32());
    return this.buffer.subarray(from, this.at);
  }

  /** A reader of the nested message; this one goes on behind it. */
  message(): WireReader {
    const from = this.#advance(this.uint32());
    return new WireReader(this.buffer, from, this.at);
  }

  skip(wireType: number): void {
    if (wireType === VARINT) this.uint64();
    else if (wireType === FIXED64) this.#advance(8);
    else if (wireType === DELIMITED) this.#advance(this.uint32());
    else if (wireType === FIXED32) this.#advance(4);
    else throw malformed(`wire type ${wireType}`, this.at);
  }

  #uint32Rest(first: number): number {
    let value = first;
    for (let shift = 7; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw malformed('varint longer than 10 bytes', this.at);
  }

  #byte(): number {
    if (this.at >= this.end) throw malformed('message ends', this.at);
    return this.buffer[this.at++]!;
  }

  /** Passes over `length` bytes; returns where they began. */
  #advance(length: number): number {
    const from = this.at;
    if (length > this.end - from)
      throw malformed(`message ends, ${length} bytes were announced`, from);
    this.at = from + length;
    return from;
  }
}

function malformed(what: string, at: number): RuntimeError {
  return new RuntimeError(
    'INVALID_ARGUMENT',
    `request is not a valid protobuf message: ${what} at byte ${at}`,
  );
}
