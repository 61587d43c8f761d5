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
  /** It runs a batch. */
  readonly isBusy: boolean;
  /** On the clock's scale. */
  readonly lastUsedAt: number;
  /** Leaves memory; resolves when its stay is over, and never rejects. */
  evict(): Promise<void>;
}

/** One stay in memory. */
export interface Stay {
  readonly resident: MemoryResident;
  readonly bytes: number;
}

export class ModelMemory {
  readonly #limitBytes: number;
  /** Those that may be put out. */
  readonly #settled = new Set<Stay>();
  readonly #pinned = new Set<Stay>();
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

  /** Resolves when there is room and it is taken. @throws RuntimeError when there never will be */
  async admit(resident: MemoryResident): Promise<Stay> {
    this.check(resident, resident.bytes);
    const stay = { resident, bytes: resident.bytes };
    if (resident.isPinned) this.#pinned.add(stay);
    const mine = this.#turn.then(() => this.#makeRoom(stay.bytes));
    this.#turn = mine;
    await mine;
    return stay;
  }

  /** Whether there can be room at all for so many bytes of it. @throws RuntimeError INVALID_ARGUMENT */
  check(resident: MemoryResident, bytes: number): void {
    const others = [...this.#pinned].filter((pinned) => pinned.resident !== resident);
    const left = others.reduce((rest, pinned) => rest - pinned.bytes, this.#limitBytes);
    if (bytes <= left) return;
    const beside = others.length > 0 ? ' beside pinned models' : '';
    const text = `${resident.name} needs about ${mebibytes(bytes)} MiB, and --max-model-memory leaves ${mebibytes(left)} MiB${beside}`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }

  /** It has been made and used; from now on it may be put out. */
  settled(stay: Stay): void {
    this.#settled.add(stay);
    this.#changed?.();
  }

  /** It is on its way out by itself: nobody needs to put it out any more. */
  leaving(stay: Stay): void {
    this.#settled.delete(stay);
  }

  /** It is over. */
  left(stay: Stay): void {
    this.#settled.delete(stay);
    this.#pinned.delete(stay);
    this.#usedBytes -= stay.bytes;
    this.#changed?.();
  }

  // ---- details below; callers need not read ----

  async #makeRoom(bytes: number): Promise<void> {
    while (this.#usedBytes + bytes > this.#limitBytes) {
      const victim = this.#leastRecentlyUsed();
      if (victim) {
        this.#settled.delete(victim);
        await victim.resident.evict();
      } else {
        // Those that are being made will be there soon, or gone.
        await new Promise<void>((resolve) => (this.#changed = resolve));
        this.#changed = undefined;
      }
    }
    this.#usedBytes += bytes;
  }

  /** Of those that run nothing, if there are any: the others would have to be waited for. */
  #leastRecentlyUsed(): Stay | undefined {
    let best: Stay | undefined;
    for (const stay of this.#settled) {
      if (stay.resident.isPinned) continue;
      if (!best || isBetterVictim(stay.resident, best.resident)) best = stay;
    }
    return best;
  }
}

function isBetterVictim(a: MemoryResident, b: MemoryResident): boolean {
  return a.isBusy === b.isBusy ? a.lastUsedAt < b.lastUsedAt : b.isBusy;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
