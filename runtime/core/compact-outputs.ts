// Outputs on memory of their own, exactly as large as they are: what the scheduler answers are views on the result of a whole
// batch, which a small answer that is kept would keep alive.

import { bytesIn, type Tensor } from './tensor.js';

export function compactOutputs(outputs: readonly Tensor[]): readonly Tensor[] {
  // Never a slice of Buffer's pool, for the same reason. Every byte is written below.
  const memory = new Uint8Array(Buffer.allocUnsafeSlow(bytesIn(outputs)).buffer);
  let at = 0;
  return outputs.map(({ name, dataType, shape, data }) => {
    memory.set(data, at);
    const from = at;
    at += data.byteLength;
    return { name, dataType, shape: [...shape], data: memory.subarray(from, at) };
  });
}
