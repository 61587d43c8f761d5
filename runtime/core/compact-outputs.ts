// Outputs on memory of their own, exactly as large as they are: what the scheduler answers are views on the result of a whole
// batch, which a small answer that is kept would keep alive.

import type { Tensor } from './tensor.js';

export function compactOutputs(outputs: readonly Tensor[]): readonly Tensor[] {
  // Never a slice of Buffer's pool, for the same reason. Every byte is written below.
  const memory = new Uint8Array(Buffer.allocUnsafeSlow(dataBytes(outputs)).buffer);
  let at = 0;
  return outputs.map(({ name, dataType, shape, data }) => {
    memory.set(data, at);
    const from = at;
    at += data.byteLength;
    return { name, dataType, shape: [...shape], data: memory.subarray(from, at) };
  });
}

export function dataBytes(outputs: readonly Tensor[]): number {
  let bytes = 0;
  for (const { data } of outputs) bytes += data.byteLength;
  return bytes;
}
