// PORT: where outputs are kept under a key (cache-key) and found again, in this process or in a Redis that servers share. A cache
// may forget whatever it likes; it never fails and never holds a request up for longer than its own limit.

import type { Deadline } from '../core/deadline.js';
import type { Tensor } from '../core/tensor.js';

/** One question. An object and not a function, so that asking costs no closure per request. */
export interface CacheLookup {
  /** Of the request that waits. */
  readonly deadline: Deadline;
  /** Told exactly once; undefined: there is nothing. */
  found(outputs: readonly Tensor[] | undefined): void;
}

export interface CacheUsage {
  readonly entries: number;
  readonly bytes: number;
}

export interface ResponseCache {
  /** Tells `lookup`, at once where that is possible, so that a cache in this process makes nobody wait. */
  lookup(key: string, lookup: CacheLookup): void;
  /** Keeps a copy of the outputs; their bytes may be views on larger buffers. */
  insert(key: string, outputs: readonly Tensor[]): void;
  /** What it holds; undefined where that is not this process. */
  usage(): CacheUsage | undefined;
  close(): Promise<void>;
}
