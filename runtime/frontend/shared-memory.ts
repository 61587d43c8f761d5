// The shared memory regions that clients have registered, by name. Texts: Triton's.

import { RuntimeError } from '../core/errors.js';
import {
  SharedMemoryRegion,
  noSuchRegion,
  type RegionDescription,
  type SharedMemoryPlace,
} from './shared-memory-region.js';

/** Each holds a file open, and files are also what connections need. */
const MOST_REGIONS = 1024;

/** Where a tensor lies, as a request says. */
export interface PlaceInRegion {
  readonly region: string;
  readonly offset: number;
  readonly byteSize: number;
}

export class SharedMemory {
  readonly #regions = new Map<string, SharedMemoryRegion>();

  /** @throws RuntimeError ALREADY_EXISTS for a name in use, and what the region throws */
  register(description: RegionDescription): void {
    const { name } = description;
    if (this.#regions.has(name))
      throw new RuntimeError('ALREADY_EXISTS', `shared memory region '${name}' already in manager`);
    if (this.#regions.size >= MOST_REGIONS) {
      const text = `failed to register shared memory region '${name}': there are ${MOST_REGIONS} already`;
      throw new RuntimeError('INVALID_ARGUMENT', text);
    }
    this.#regions.set(name, new SharedMemoryRegion(description));
  }

  /** A name that is not registered is no error. Requests under way that still want to write to the region fail. */
  unregister(name: string): void {
    this.#regions.get(name)?.close();
    this.#regions.delete(name);
  }

  unregisterAll(): void {
    for (const name of [...this.#regions.keys()]) this.unregister(name);
  }

  /** In the order of their registration. */
  list(): RegionDescription[] {
    return [...this.#regions.values()].map(({ description }) => description);
  }

  /** @throws RuntimeError NOT_FOUND for a region that is not registered, INVALID_ARGUMENT for bytes that it has not */
  place({ region, offset, byteSize }: PlaceInRegion): SharedMemoryPlace {
    const found = this.#regions.get(region);
    if (!found) throw noSuchRegion(region);
    return found.place(offset, byteSize);
  }
}
