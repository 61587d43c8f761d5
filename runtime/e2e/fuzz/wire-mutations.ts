// Messages whose fields protobuf forbids, permits unwillingly or leaves to the reader: anywhere in the message, however deep.

import type { WireMutation } from './mutation.js';
import type { Random } from './random.js';
import {
  DELIMITED,
  FIXED32,
  FIXED64,
  GROUP,
  GROUP_END,
  VARINT,
  bytesField,
  encodeItems,
  encodeTag,
  encodeVarint,
  listsOf,
  messageField,
  type WireField,
  type WireItem,
} from './wire-field.js';

const WIRE_TYPES = [VARINT, FIXED64, DELIMITED, GROUP, FIXED32];
const FIELD_NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 100, 18_999, 19_500, 2 ** 29 - 1];

export const WIRE_MUTATIONS: readonly WireMutation[] = [
  { kind: 'unknown fields', apply: (items, random) => insert(items, unknownField(random), random) },
  { kind: 'a field twice', apply: fieldTwice },
  { kind: 'a field missing', apply: fieldMissing },
  { kind: 'fields in another order', apply: otherOrder },
  { kind: 'another wire type', weight: 2, apply: otherWireType },
  { kind: 'another field number', weight: 2, apply: otherNumber },
  { kind: 'a length too large', weight: 2, apply: lengthTooLarge },
  { kind: 'a length too small', apply: lengthTooSmall },
  { kind: 'a varint that is too long', weight: 2, apply: longVarint },
  { kind: 'a varint with needless bytes', apply: needlessBytes },
  {
    kind: 'field number 0',
    apply: (items, random) => insert(items, tag(0, random.below(8)), random),
  },
  {
    kind: 'wire types 6 and 7',
    apply: (items, random) => insert(items, tag(random.below(20), random.pick([6, 7])), random),
  },
  { kind: 'groups', apply: (items, random) => insert(items, group(random), random) },
  {
    kind: 'groups without an end',
    apply: (items, random) => insert(items, tag(random.below(20), GROUP), random),
  },
  {
    kind: 'an end without a group',
    apply: (items, random) => insert(items, tag(random.below(20), GROUP_END), random),
  },
  { kind: 'groups 100,000 deep', weight: 0.3, apply: deepGroups },
  { kind: 'messages 10,000 deep', weight: 0.3, apply: deepMessages },
  { kind: 'a message inside itself', apply: insideItself },
  { kind: 'a scalar in place of a message', apply: scalarForMessage },
  { kind: '20,000 fields', weight: 0.2, apply: manyFields },
];

// ---- details below; callers need not read ----

/** A list of fields anywhere in the tree. */
function anyList(items: WireItem[], random: Random): WireItem[] {
  return random.pick(listsOf(items));
}

/** A field anywhere in the tree; undefined for an empty message. */
function anyField(items: WireItem[], random: Random): WireField | undefined {
  const fields = listsOf(items)
    .flat()
    .filter((item): item is WireField => !Buffer.isBuffer(item));
  return fields.length === 0 ? undefined : random.pick(fields);
}

function insert(items: WireItem[], item: WireItem, random: Random): void {
  const list = anyList(items, random);
  list.splice(random.below(list.length + 1), 0, item);
}

function tag(number: number, wireType: number): Buffer {
  return encodeTag(number, wireType);
}

function unknownField(random: Random): WireField {
  const number = random.pick([9, 15, 16, 100, 18_999, 19_500, 2 ** 29 - 1]);
  const wireType = random.pick(WIRE_TYPES);
  if (wireType === GROUP) return { number, wireType, value: [] };
  const bytes = wireType === DELIMITED;
  return { number, wireType, value: bytes ? random.bytes(random.below(12)) : random.uint64() };
}

function fieldTwice(items: WireItem[], random: Random): void {
  const list = anyList(items, random);
  if (list.length > 0) list.splice(random.below(list.length + 1), 0, random.pick(list));
}

function fieldMissing(items: WireItem[], random: Random): void {
  const list = anyList(items, random);
  list.splice(random.below(list.length), 1);
}

function otherOrder(items: WireItem[], random: Random): void {
  const list = anyList(items, random);
  list.splice(0, list.length, ...random.shuffled(list));
}

function otherWireType(items: WireItem[], random: Random): void {
  const field = anyField(items, random);
  if (field) field.wireType = random.pick(WIRE_TYPES.filter((type) => type !== field.wireType));
}

function otherNumber(items: WireItem[], random: Random): void {
  const field = anyField(items, random);
  if (field) field.number = random.pick(FIELD_NUMBERS);
}

/** Of the delimited fields; they are most. */
function delimited(items: WireItem[], random: Random): WireField | undefined {
  for (let tries = 0; tries < 10; tries++) {
    const field = anyField(items, random);
    if (field?.wireType === DELIMITED) return field;
  }
  return undefined;
}

function lengthTooLarge(items: WireItem[], random: Random): void {
  const field = delimited(items, random);
  if (!field) return;
  const length = encodeItems([field]).length;
  const lengths = [BigInt(length), BigInt(length) + 100n, 2n ** 31n - 1n, 2n ** 31n];
  const huge = [2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 63n, 2n ** 64n - 1n];
  field.announced = random.pick([...lengths, ...huge]);
}

function lengthTooSmall(items: WireItem[], random: Random): void {
  const field = delimited(items, random);
  if (field) field.announced = BigInt(random.below(encodeItems([field]).length));
}

/** In place of a tag, of a length or of a value. */
function longVarint(items: WireItem[], random: Random): void {
  const endless = Buffer.concat([
    Buffer.alloc(random.between(10, 20), 0x80 + random.below(0x80)),
    Buffer.of(1),
  ]);
  const before = random.pick([Buffer.alloc(0), tag(1, DELIMITED), tag(1, VARINT), tag(3, VARINT)]);
  insert(items, Buffer.concat([before, endless]), random);
}

function needlessBytes(items: WireItem[], random: Random): void {
  const list = anyList(items, random);
  const at = random.below(list.length);
  const item = list[at];
  if (item === undefined || Buffer.isBuffer(item) || item.wireType !== DELIMITED) return;
  const content = encodeItems([{ ...item, announced: 0n }]);
  const head = tag(item.number, DELIMITED);
  const bytes = content.subarray(head.length + 1);
  const length = encodeVarint(BigInt(bytes.length), random.between(1, 8));
  const longTag = encodeVarint(BigInt(item.number) * 8n + 2n, random.below(4));
  list[at] = Buffer.concat([longTag, length, bytes]);
}

function group(random: Random): WireField {
  const inside: WireItem[] = [unknownField(random), bytesField(1, 'text')];
  return { number: random.pick(FIELD_NUMBERS), wireType: GROUP, value: inside };
}

function deepGroups(items: WireItem[], random: Random): void {
  const depth = random.pick([100, 10_000, 100_000]);
  const open = Buffer.alloc(depth, tag(9, GROUP));
  const close = Buffer.alloc(random.chance(0.5) ? depth : 0, tag(9, GROUP_END));
  insert(items, Buffer.concat([open, close]), random);
}

function deepMessages(items: WireItem[], random: Random): void {
  const number = random.pick([2, 4, 5, 6, 9]);
  const heads: Buffer[] = [];
  let length = 0;
  for (let depth = random.pick([100, 2000, 10_000]); depth > 0; depth--) {
    const head = Buffer.concat([tag(number, DELIMITED), encodeVarint(BigInt(length))]);
    heads.push(head);
    length += head.length;
  }
  insert(items, Buffer.concat(heads.reverse()), random);
}

function insideItself(items: WireItem[], random: Random): void {
  insert(items, messageField(random.pick(FIELD_NUMBERS), [encodeItems(items)]), random);
}

function scalarForMessage(items: WireItem[], random: Random): void {
  const field = delimited(items, random);
  if (field) field.value = random.bytes(random.below(30));
}

function manyFields(items: WireItem[], random: Random): void {
  const field = anyField(items, random) ?? bytesField(1, '');
  const bytes = encodeItems([field]);
  insert(
    items,
    Buffer.concat(Array<Buffer>(Math.min(20_000, Math.ceil(4e6 / bytes.length))).fill(bytes)),
    random,
  );
}
