// The id of a sequence (correlation id): which one a request carries, how it is written, and the bytes in which models get it.

import type { IdControl } from '../config/sequence-config.js';
import type { DataType } from '../core/data-type.js';
import type { InferenceRequest } from '../core/inference.js';

/** Equal ids are the same key of a map; 5 and '5' are different ids. Integers beyond 2^53 are bigints. */
export type SequenceId = number | bigint | string;

/** Text ends at the first NUL, as in Triton. */
export function sequenceIdOf({ parameters: { sequenceId: id } }: InferenceRequest): SequenceId {
  return typeof id === 'string' && id.includes('\0') ? id.slice(0, id.indexOf('\0')) : id;
}

/** Integers are unsigned to Triton, whatever was sent. */
export function formatSequenceId(id: SequenceId): string {
  return typeof id === 'string' ? id : unsigned(id).toString();
}

/** Integers are cut to the low bytes of the type. */
export function sequenceIdBytes(id: SequenceId, { dataType }: IdControl): Uint8Array {
  if (typeof id === 'string') {
    const text = Buffer.from(id);
    const bytes = Buffer.alloc(4 + text.length);
    bytes.writeUInt32LE(text.length);
    text.copy(bytes, 4);
    return bytes;
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(unsigned(id));
  return bytes.subarray(0, ID_BYTES[dataType]);
}

// ---- details below; callers need not read ----

const ID_BYTES: Partial<Record<DataType, number>> = { UINT64: 8, INT64: 8, UINT32: 4, INT32: 4 };

function unsigned(id: number | bigint): bigint {
  return BigInt.asUintN(64, BigInt(id));
}
