// Bytes changed without regard to what they mean.

import type { ByteMutation } from './mutation.js';
import type { Random } from './random.js';

export const BYTE_MUTATIONS: readonly ByteMutation[] = [
  {
    kind: 'cut off',
    weight: 4,
    apply: (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  },
  {
    kind: 'the beginning missing',
    apply: (bytes, random) => bytes.subarray(random.below(bytes.length)),
  },
  { kind: 'bits flipped', weight: 4, apply: flipBits },
  { kind: 'bytes replaced', weight: 3, apply: replaceBytes },
  { kind: 'bytes inserted', weight: 3, apply: insertBytes },
  { kind: 'bytes deleted', weight: 3, apply: deleteBytes },
  { kind: 'a piece repeated', apply: repeatPiece },
  { kind: 'the message twice', apply: (bytes) => Buffer.concat([bytes, bytes]) },
  { kind: 'random bytes', apply: (_bytes, random) => random.bytes(random.below(200)) },
  {
    kind: 'nothing but one byte',
    apply: (bytes, random) => Buffer.alloc(bytes.length, random.pick([0, 0x0a, 0x80, 0xff])),
  },
];

// ---- details below; callers need not read ----

function flipBits(bytes: Buffer, random: Random): Buffer {
  const flipped = Buffer.from(bytes);
  if (bytes.length === 0) return flipped;
  for (let count = random.pick([1, 1, 2, 8, 32]); count > 0; count--)
    flipped[random.below(flipped.length)]! ^= 1 << random.below(8);
  return flipped;
}

function replaceBytes(bytes: Buffer, random: Random): Buffer {
  const replaced = Buffer.from(bytes);
  random.bytes(random.between(1, 8)).copy(replaced, random.below(bytes.length + 1));
  return replaced;
}

function insertBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const inserted = random.bytes(random.pick([1, 1, 2, 4, 9, 100]));
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
}

function deleteBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length);
  const count = random.pick([1, 1, 2, 4, 16]);
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + count)]);
}

function repeatPiece(bytes: Buffer, random: Random): Buffer {
  const from = random.below(bytes.length);
  const to = random.between(from, bytes.length);
  const piece = bytes.subarray(from, Math.min(to, from + 1000));
  const pieces = Array<Buffer>(random.between(2, 20)).fill(piece);
  return Buffer.concat([bytes.subarray(0, to), ...pieces, bytes.subarray(to)]);
}
