// Sizes and bytes of protobuf fields, for the messages of the hot path: first the size of a message is summed up, then it is
// written front to back into one buffer of that size.

/** Bytes of `value` as a varint; negative numbers take ten. */
export function varintSize(value: number): number {
  if (value < 0) return 10;
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** A length-delimited field: tag (one byte, field numbers up to 15), length and content. */
export function delimitedSize(length: number): number {
  return 1 + varintSize(length) + length;
}

export class WireWriter {
  readonly buffer: Buffer;
  #at = 0;

  constructor(size: number) {
    this.buffer = Buffer.allocUnsafe(size);
  }

  varint(value: number): void {
    if (value < 0) {
      this.#negative(value);
      return;
    }
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80))
      this.buffer[this.#at++] = (rest % 0x80) | 0x80;
    this.buffer[this.#at++] = rest;
  }

  /** Tag and length of a length-delimited field; its content follows. */
  delimited(field: number, length: number): void {
    this.buffer[this.#at++] = field * 8 + 2;
    this.varint(length);
  }

  bytes(field: number, content: Uint8Array): void {
    this.delimited(field, content.length);
    this.buffer.set(content, this.#at);
    this.#at += content.length;
  }

  /** Fields that are encoded already. */
  raw(fields: Uint8Array): void {
    this.buffer.set(fields, this.#at);
    this.#at += fields.length;
  }

  #negative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 0x80n; rest >>= 7n) this.buffer[this.#at++] = Number(rest & 0x7fn) | 0x80;
    this.buffer[this.#at++] = Number(rest);
  }
}

const cache = new Map<string, Buffer>();
const CACHE_LIMIT = 4096;

/** The UTF-8 bytes of a text that comes again and again, such as a tensor's name. */
export function cachedUtf8(text: string): Buffer {
  let bytes = cache.get(text);
  if (!bytes) {
    if (cache.size >= CACHE_LIMIT) cache.clear();
    cache.set(text, (bytes = Buffer.from(text)));
  }
  return bytes;
}
