// Outputs of servers that answer with typed lists instead of raw bytes (inferd and Triton do not).

import { encodeElements } from './bytes-elements.js';
import { encodeInput, type NestedElements } from './tensor-input.js';
import type { DataType } from './data-type.js';

/** InferTensorContents; the lists that are not used are empty. */
export type ContentsMessage = Readonly<Record<string, NestedElements>>;

/** As raw bytes. */
export function elementData(datatype: string, contents: ContentsMessage | null): Buffer {
  const data = Object.values(contents ?? {}).find((list) => list.length > 0) ?? [];
  if (datatype === 'BYTES') return encodeElements(data as Uint8Array[]);
  const { raw } = encodeInput('output', { datatype: datatype as DataType, data });
  return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
}
