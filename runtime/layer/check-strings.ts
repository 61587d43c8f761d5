// Checks the raw form of a BYTES tensor: as many length-prefixed elements as the shape says, and nothing besides. Texts: Triton's.

import { isUtf8 } from 'node:buffer';
import type { Tensor } from '../core/tensor.js';

export interface StringProblem {
  readonly text: string;
  /** Triton names the request in most of these texts, not in all. */
  readonly prefixed: boolean;
}

export function checkStrings(
  input: Tensor,
  expected: { readonly elements: number; readonly model: string; readonly textOnly: boolean },
): StringProblem | undefined {
  const { data, name } = input;
  const { elements, model } = expected;
  let count = 0;
  for (let at = 0; at < data.length; count++) {
    const left = data.length - at;
    if (left < 4) {
      const text =
        `incomplete string length indicator for inference input '${name}' for model '${model}', expecting 4 bytes but only ` +
        `${left} bytes available. Please make sure the string length indicator is in one buffer.`;
      return { text, prefixed: true };
    }
    if (count === elements) {
      const text = `unexpected number of string elements ${count + 1} for inference input '${name}' for model '${model}', expecting ${elements}`;
      return { text, prefixed: true };
    }
    const length = lengthAt(data, at);
    const from = at + 4;
    at = from + length;
    // Triton counts before it looks whether the last element is whole.
    if (at > data.length && count + 1 === elements) {
      const text =
        `incomplete string data for inference input '${name}', expecting string of length ${length} but only ` +
        `${data.length - from} bytes available`;
      return { text, prefixed: false };
    }
    if (expected.textOnly && !isPlainText(data, from, Math.min(at, data.length)))
      return notText(input, model, { count, from, to: at });
  }
  if (count === elements) return undefined;
  const text = `expected ${elements} string elements for inference input '${name}' for model '${model}', got ${count}`;
  return { text, prefixed: true };
}

// ---- details below; callers need not read ----

function lengthAt(data: Uint8Array, at: number): number {
  return (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16)) + data[at + 3]! * 0x1000000;
}

/** UTF-8 without NUL. Most text is ASCII, and that loop is cheaper than asking for more. */
function isPlainText(data: Uint8Array, from: number, to: number): boolean {
  let i = from;
  while (i < to && data[i]! > 0 && data[i]! < 0x80) i++;
  if (i === to) return true;
  const rest = data.subarray(i, to);
  return !rest.includes(0) && isUtf8(rest);
}

function notText(
  { data, name }: Tensor,
  model: string,
  { count, from, to }: { count: number; from: number; to: number },
): StringProblem {
  const nul = data.subarray(from, to).indexOf(0);
  const what = nul >= 0 ? `a NUL byte at position ${nul}` : 'bytes that are not UTF-8';
  const text =
    `string element ${count} of inference input '${name}' for model '${model}' has ${what}. ONNX models take text only: it ` +
    'would be changed on the way. Encode binary data, for instance as base64, or use a UINT8 input';
  return { text, prefixed: true };
}
