// Answers in the memory of this process. Those used longest ago leave before it holds more bytes than it may; what an entry
// takes besides its data is counted, too, so that many small answers take no more than few large ones.

import { LRUCache } from 'lru-cache';
import { bytesIn, type Tensor } from '../core/tensor.js';
import { compactOutputs } from '../core/compact-outputs.js';
import type { CacheLookup, CacheUsage, ResponseCache } from './response-cache.js';

export class LocalResponseCache implements ResponseCache {
  readonly #entries: LRUCache<string, readonly Tensor[]>;

  constructor(sizeBytes: number) {
    this.#entries = new LRUCache({ maxSize: sizeBytes });
  }

  lookup(key: string, lookup: CacheLookup): void {
    lookup.found(this.#entries.get(key));
  }

  /** What is larger than the whole cache is not kept, and nothing leaves for it. */
  insert(key: string, outputs: readonly Tensor[]): void {
    const size = entryBytes(key, outputs);
    if (size > this.#entries.maxSize) return;
    this.#entries.set(key, compactOutputs(outputs), { size });
  }

  usage(): CacheUsage {
    return { entries: this.#entries.size, bytes: this.#entries.calculatedSize };
  }

  close(): Promise<void> {
    this.#entries.clear();
    return Promise.resolve();
  }
}

/** Of an entry and of each of its outputs, besides keys, sizes and data. */
const ENTRY_BYTES = 400;
const OUTPUT_BYTES = 300;
const DIMENSION_BYTES = 8;

/** What an entry takes in memory, roughly; never less than its key and its data. */
export function entryBytes(key: string, outputs: readonly Tensor[]): number {
  let bytes = ENTRY_BYTES + key.length + bytesIn(outputs);
  for (const { name, shape } of outputs)
    bytes += OUTPUT_BYTES + name.length + DIMENSION_BYTES * shape.length;
  return bytes;
}
