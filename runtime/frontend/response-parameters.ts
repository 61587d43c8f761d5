// Parameters of a response as they stand in its message.

import type { ResponseParameter } from '../core/inference.js';
import { encodeParameters as encode } from '../wire/infer-parameter.js';

type Parameters = ReadonlyMap<string, ResponseParameter>;

/** Nobody changes the bytes, nor the parameters afterwards. */
export function encodeParameters(parameters: Parameters): Buffer {
  if (parameters !== last.parameters) last = { parameters, bytes: encode(parameters) };
  return last.bytes;
}

// ---- details below; callers need not read ----

/** A model with policies says the same in most of its answers, with one and the same map. */
let last: { readonly parameters?: Parameters; readonly bytes: Buffer } = { bytes: Buffer.alloc(0) };
