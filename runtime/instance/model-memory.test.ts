import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelMemory, type MemoryResident, type Stay } from './model-memory.js';

const MIB = 2 ** 20;

/** A resident that is put out when the test says so. */
class Resident implements MemoryResident {
  lastUsedAt = 0;
  isPinned = false;
  isBusy = false;
  evictions = 0;
  #stay: Stay | undefined;
  #finish: () => void = () => undefined;

  constructor(
    readonly memory: ModelMemory,
    readonly name: string,
    readonly bytes: number,
    readonly leavesAtOnce = true,
  ) {}

  evict(): Promise<void> {
    this.evictions++;
    if (this.leavesAtOnce) {
      this.leave();
      return Promise.resolve();
    }
    return new Promise((resolve) => (this.#finish = resolve));
  }

  finishEviction(): void {
    this.leave();
    this.#finish();
  }

  async admit(): Promise<this> {
    this.#stay = await this.memory.admit(this);
    return this;
  }

  settle(): void {
    this.memory.settled(this.#stay!);
  }

  leave(): void {
    this.memory.left(this.#stay!);
  }

  async enter(usedAt = 0): Promise<this> {
    await this.admit();
    this.lastUsedAt = usedAt;
    this.settle();
    return this;
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe('ModelMemory', () => {
  it('lets in what fits', async () => {
    const memory = new ModelMemory(10);

    await new Resident(memory, 'a', 4).enter();
    await new Resident(memory, 'b', 6).enter();

    expect(memory.usedBytes).toBe(10);
  });

  it('puts out who was used longest ago', async () => {
    const memory = new ModelMemory(10);
    const [a, b] = [new Resident(memory, 'a', 5), new Resident(memory, 'b', 5)];
    await a.enter(2);
    await b.enter(1);

    await new Resident(memory, 'c', 3).enter();

    expect([a.evictions, b.evictions, memory.usedBytes]).toEqual([0, 1, 8]);
  });

  it('puts out who runs nothing before who runs something', async () => {
    const memory = new ModelMemory(10);
    const [busy, idle] = [new Resident(memory, 'busy', 5), new Resident(memory, 'idle', 5)];
    await busy.enter(1);
    await idle.enter(2);
    busy.isBusy = true;

    await new Resident(memory, 'c', 3).enter();

    expect([busy.evictions, idle.evictions]).toEqual([0, 1]);
  });

  it('does not put out who leaves by itself', async () => {
    const memory = new ModelMemory(10);
    const [first, second] = [new Resident(memory, 'a', 5), new Resident(memory, 'b', 5)];
    const stay = await memory.admit(first);
    memory.settled(stay);
    await second.enter(9);
    memory.leaving(stay);

    await new Resident(memory, 'c', 3).enter();

    expect([first.evictions, second.evictions]).toEqual([0, 1]);
  });

  it('puts out as many as it takes', async () => {
    const memory = new ModelMemory(10);
    const small = [1, 2, 3].map((at) => new Resident(memory, 's', 3).enter(at));

    await new Resident(memory, 'large', 6).enter();

    const evicted = (await Promise.all(small)).map(({ evictions }) => evictions);
    expect([evicted, memory.usedBytes]).toEqual([[1, 1, 0], 9]);
  });

  it('waits until who is put out has left', async () => {
    const memory = new ModelMemory(10);
    const slow = await new Resident(memory, 'slow', 10, false).enter();

    const next = new Resident(memory, 'next', 10);
    let isIn = false;
    void next.enter().then(() => (isIn = true));
    await settle();
    expect([slow.evictions, isIn]).toEqual([1, false]);
    slow.finishEviction();
    await settle();

    expect(isIn).toBe(true);
  });

  it('waits for those that are being made, which cannot be put out yet', async () => {
    const memory = new ModelMemory(10);
    const first = new Resident(memory, 'first', 10);
    await first.admit();
    let isIn = false;
    void new Resident(memory, 'next', 10).enter().then(() => (isIn = true));
    await settle();
    expect([first.evictions, isIn]).toEqual([0, false]);

    first.settle();
    await settle();

    expect([first.evictions, isIn]).toEqual([1, true]);
  });

  it('goes on when one that was being made has failed', async () => {
    const memory = new ModelMemory(10);
    const first = new Resident(memory, 'first', 10);
    await first.admit();
    const next = new Resident(memory, 'next', 10).enter();
    await settle();

    first.leave();
    await next;

    expect(memory.usedBytes).toBe(10);
  });

  it('never puts out who is pinned', async () => {
    const memory = new ModelMemory(10);
    const pinned = new Resident(memory, 'pinned', 4);
    pinned.isPinned = true;
    await pinned.enter(0);
    await new Resident(memory, 'a', 6).enter(9);

    await new Resident(memory, 'b', 6).enter(10);

    expect([pinned.evictions, memory.usedBytes]).toEqual([0, 10]);
  });

  it('refuses what can never be let in', async () => {
    const memory = new ModelMemory(10 * MIB);
    const large = new Resident(memory, "version 1 of model 'm'", 11 * MIB);

    await expect(memory.admit(large)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message:
        "version 1 of model 'm' needs about 11.0 MiB, and --max-model-memory leaves 10.0 MiB",
    });
    const pinned = new Resident(memory, 'pinned', 4 * MIB);
    pinned.isPinned = true;
    await pinned.enter();

    await expect(memory.admit(new Resident(memory, 'm', 7 * MIB))).rejects.toThrow(
      'm needs about 7.0 MiB, and --max-model-memory leaves 6.0 MiB beside pinned models',
    );
  });

  it('never holds more than the limit, and lets everybody in, in whatever order they come', async () => {
    const visits = fc.array(fc.record({ who: fc.nat({ max: 7 }), at: fc.nat({ max: 50 }) }));
    const sizes = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 8, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sizes, visits, async (bytes, order) => {
        const memory = new ModelMemory(10);
        const residents = bytes.map((size, i) => new Resident(memory, `r${i}`, size));
        const present = new Set<Resident>();
        for (const { who, at } of order) {
          const resident = residents[who]!;
          resident.lastUsedAt = at;
          const before = resident.evictions;
          if (!present.has(resident)) await resident.enter(at);
          present.add(resident);
          for (const other of present)
            if (other.evictions > (evicted.get(other) ?? 0)) {
              evicted.set(other, other.evictions);
              present.delete(other);
            }
          expect(resident.evictions).toBe(before);
          expect(memory.usedBytes).toBeLessThanOrEqual(10);
          expect(memory.usedBytes).toBe([...present].reduce((sum, { bytes: b }) => sum + b, 0));
        }
      }),
      { numRuns: 500 },
    );
  });
});

const evicted = new WeakMap<Resident, number>();
