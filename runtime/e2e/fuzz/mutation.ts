// What is done to a right request to break it, at the three levels at which requests can be wrong.

import type { InferDraft } from './infer-draft.js';
import type { Random } from './random.js';
import type { WireItem } from './wire-field.js';

interface Named {
  /** What the report counts and calls it by. */
  readonly kind: string;
  /** How often compared with others of its level; 1 if missing. */
  readonly weight?: number;
}

/** At the level of what the message says. */
export interface DraftMutation extends Named {
  /** The models whose requests it can break; all if missing. */
  readonly models?: readonly string[];
  /**
   * `refused`: a request with nothing else wrong must not be answered. `fails`: it must fail in ONNX Runtime.
   * Missing: it may turn out to be right.
   */
  readonly ends?: 'refused' | 'fails';
  readonly apply: (draft: InferDraft, random: Random) => void;
}

/** At the level of protobuf's fields, of any message. */
export interface WireMutation extends Named {
  readonly apply: (items: WireItem[], random: Random) => void;
}

/** At the level of bytes. */
export interface ByteMutation extends Named {
  readonly apply: (bytes: Buffer, random: Random) => Buffer;
}

export function pickWeighted<T extends Named>(mutations: readonly T[], random: Random): T {
  const total = mutations.reduce((sum, { weight = 1 }) => sum + weight, 0);
  let at = (random.uint32() / 0x1_0000_0000) * total;
  for (const mutation of mutations) {
    at -= mutation.weight ?? 1;
    if (at < 0) return mutation;
  }
  return mutations[0]!;
}
