// Which models are in memory when not all of them fit (--max-model-memory). Room is made by putting out whoever was used longest
// ago. The figures are estimates from the sizes of files: what ONNX Runtime takes for a session, nobody can be asked.

import { RuntimeError } from '../core/errors.js';

/** What takes memory while it is in. */
export interface MemoryResident {
  /** For errors. */
  readonly name: string;
  readonly bytes: number;
  /** Never put out. */
  readonly isPinned: boolean;
  /** On the clock's scale. */
  readonly lastUsedAt: number;
  /** Leaves memory; resolves when it has. */
  evict(): Promise<void>;
}

export class ModelMemory {
  readonly #limitBytes: number;
  /** In memory and usable. */
  readonly #residents = new Set<MemoryResident>();
  readonly #pinned = new Set<MemoryResident>();
  #usedBytes = 0;
  /** Room is made for one after the other, in the order in which they asked. */
  #turn: Promise<void> = Promise.resolve();
  #changed: (() => void) | undefined;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Resolves when there is room and it is taken. @throws RuntimeError INVALID_ARGUMENT when there never will be */
  async admit(resident: MemoryResident): Promise<void> {
    this.check(resident);
    if (resident.isPinned) this.#pinned.add(resident);
    const mine = this.#turn.then(() => this.#makeRoom(resident.bytes));
    // One that failed keeps nobody from trying.
    this.#turn = mine.catch(() => undefined);
    await mine;
  }

  /** Whether there can be room for it at all, with that many bytes. @throws as admit */
  check(resident: MemoryResident, bytes = resident.bytes): void {
    const others = [...this.#pinned].filter((pinned) => pinned !== resident);
    const left = others.reduce((rest, pinned) => rest - pinned.bytes, this.#limitBytes);
    if (bytes <= left) return;
    const { name } = resident;
    const beside = others.length > 0 ? ' beside pinned models' : '';
    const text = `${name} needs about ${mebibytes(bytes)} MiB, and --max-model-memory leaves ${mebibytes(left)} MiB${beside}`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }

  /** It has been made and used; from now on it may be put out. */
  settled(resident: MemoryResident): void {
    this.#residents.add(resident);
    this.#changed?.();
  }

  /** It was admitted and is not in memory any more. */
  left(resident: MemoryResident): void {
    this.#residents.delete(resident);
    this.#pinned.delete(resident);
    this.#usedBytes -= resident.bytes;
    this.#changed?.();
  }

  // ---- details below; callers need not read ----

  async #makeRoom(bytes: number): Promise<void> {
    while (this.#usedBytes + bytes > this.#limitBytes) {
      const victim = this.#leastRecentlyUsed();
      if (victim) {
        this.#residents.delete(victim);
        await victim.evict();
      } else {
        // Those that are being made will be there soon, or gone.
        await new Promise<void>((resolve) => (this.#changed = resolve));
        this.#changed = undefined;
      }
    }
    this.#usedBytes += bytes;
  }

  #leastRecentlyUsed(): MemoryResident | undefined {
    let oldest: MemoryResident | undefined;
    for (const resident of this.#residents) {
      if (resident.isPinned) continue;
      if (!oldest || resident.lastUsedAt < oldest.lastUsedAt) oldest = resident;
    }
    return oldest;
  }
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
