// Protobuf messages as trees of fields that can be encoded rightly and wrongly. The writers of the server cannot write what is
// wrong, and a reader is not to be tested with the writer of its own author.

export const VARINT = 0;
export const FIXED64 = 1;
export const DELIMITED = 2;
export const GROUP = 3;
export const GROUP_END = 4;
export const FIXED32 = 5;

/** A text as its bytes, where it is to be no UTF-8. */
export type Text = string | Buffer;

export interface WireField {
  number: number;
  wireType: number;
  /** A bigint for the types of numbers, else bytes or the fields of a message. */
  value: bigint | Text | WireItem[];
  /** Announced as the length of a delimited value, if it is not to be the right one. */
  announced?: bigint;
}

/** Bytes are put into the message as they are. */
export type WireItem = WireField | Buffer;

export function varintField(number: number, value: bigint | number): WireField {
  return { number, wireType: VARINT, value: BigInt(value) };
}

export function bytesField(number: number, value: Text): WireField {
  return { number, wireType: DELIMITED, value };
}

export function messageField(number: number, items: WireItem[]): WireField {
  return { number, wireType: DELIMITED, value: items };
}

/** One field per text that is not empty, as proto3 writes them. */
export function textFields(texts: Readonly<Record<number, Text>>): WireField[] {
  return Object.entries(texts)
    .filter(([, text]) => text.length > 0)
    .map(([number, text]) => bytesField(Number(number), text));
}

/** An entry of a map with texts as keys. */
export function entryField(number: number, key: Text, value: WireItem[]): WireField {
  return messageField(number, [bytesField(1, key), messageField(2, value)]);
}

export function encodeItems(items: readonly WireItem[]): Buffer {
  return Buffer.concat(items.map((item) => (Buffer.isBuffer(item) ? item : encodeField(item))));
}

/** Of the 64 bits of `value`; `extra` more bytes than it takes, which change nothing. */
export function encodeVarint(value: bigint, extra = 0): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  for (let i = 0; i < extra; i++) {
    bytes[bytes.length - 1]! |= 0x80;
    bytes.push(0);
  }
  return Buffer.from(bytes);
}

export function encodeTag(number: number, wireType: number): Buffer {
  return encodeVarint(BigInt(number) * 8n + BigInt(wireType));
}

/** Every list of items in the tree, `items` first. */
export function listsOf(items: WireItem[]): WireItem[][] {
  const nested = items.flatMap((item) =>
    !Buffer.isBuffer(item) && Array.isArray(item.value) ? listsOf(item.value) : [],
  );
  return [items, ...nested];
}

// ---- details below; callers need not read ----

function encodeField({ number, wireType, value, announced }: WireField): Buffer {
  const tag = encodeTag(number, wireType);
  if (wireType === VARINT) return Buffer.concat([tag, encodeVarint(numberOf(value))]);
  if (wireType === FIXED64) return Buffer.concat([tag, fixed(numberOf(value), 8)]);
  if (wireType === FIXED32) return Buffer.concat([tag, fixed(numberOf(value), 4)]);
  const content = contentOf(value);
  if (wireType === GROUP) return Buffer.concat([tag, content, encodeTag(number, GROUP_END)]);
  const length = encodeVarint(announced ?? BigInt(content.length));
  return Buffer.concat([tag, length, content]);
}

function contentOf(value: WireField['value']): Buffer {
  if (typeof value === 'bigint') return encodeVarint(value);
  if (Buffer.isBuffer(value)) return value;
  return typeof value === 'string' ? Buffer.from(value) : encodeItems(value);
}

/** What a value is as a number when its field's type has been changed. */
function numberOf(value: WireField['value']): bigint {
  return typeof value === 'bigint' ? value : BigInt(contentOf(value).length);
}

function fixed(value: bigint, bytes: 4 | 8): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt.asUintN(64, value));
  return buffer.subarray(0, bytes);
}
