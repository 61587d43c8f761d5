import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../core/tensor.js';
import { aTensor, rawTensor, valuesOf } from '../testing/build.js';
import { LocalResponseCache, entryBytes } from './local-response-cache.js';

function find(cache: LocalResponseCache, key: string): readonly Tensor[] | undefined {
  const found: (readonly Tensor[] | undefined)[] = [];
  cache.lookup(key, { deadline: Infinity, found: (outputs) => found.push(outputs) });
  expect(found).toHaveLength(1);
  return found[0];
}

function bytes(length: number): Tensor[] {
  return [rawTensor('y', 'UINT8', { shape: [length], data: new Uint8Array(length) })];
}

describe('LocalResponseCache', () => {
  it('finds at once what was inserted, and nothing else', () => {
    const cache = new LocalResponseCache(10_000);

    cache.insert('k', [aTensor('y', [2], [1, 2])]);

    expect(valuesOf(find(cache, 'k')![0]!)).toEqual([1, 2]);
    expect(find(cache, 'other')).toBeUndefined();
  });

  it('keeps a copy of its own, and not the buffer of a batch', () => {
    const cache = new LocalResponseCache(10_000);
    const batch = new Uint8Array(100_000).fill(7);
    const views = [0, 50_000].map((at) =>
      rawTensor('y', 'UINT8', { shape: [3], data: batch.subarray(at, at + 3) }),
    );

    cache.insert('k', views);
    batch.fill(0);

    const kept = find(cache, 'k')!;
    expect(kept.map(({ data }) => [...data])).toEqual([
      [7, 7, 7],
      [7, 7, 7],
    ]);
    expect(kept[0]!.data.buffer.byteLength).toBe(6);
  });

  it('lets go of what was used longest ago', () => {
    const size = entryBytes('a', bytes(1000));
    const cache = new LocalResponseCache(2 * size);

    cache.insert('a', bytes(1000));
    cache.insert('b', bytes(1000));
    find(cache, 'a');
    cache.insert('c', bytes(1000));

    expect(['a', 'b', 'c'].filter((key) => find(cache, key))).toEqual(['a', 'c']);
    expect(cache.usage()).toEqual({ entries: 2, bytes: 2 * size });
  });

  it('does not make room for what is larger than all of it', () => {
    const cache = new LocalResponseCache(2000);

    cache.insert('a', bytes(100));
    cache.insert('b', bytes(2000));

    expect(cache.usage().entries).toBe(1);
    expect(find(cache, 'a')).toBeDefined();
  });

  it('never holds more than its size, and counts keys, sizes and data', () => {
    const inserts = fc.array(fc.tuple(fc.stringMatching(/^[a-d]{1,2}$/), fc.nat(900)), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(inserts, fc.integer({ min: 1, max: 5000 }), (all, size) => {
        const cache = new LocalResponseCache(size);
        for (const [key, length] of all) {
          cache.insert(key, bytes(length));
          expect(cache.usage().bytes).toBeLessThanOrEqual(size);
        }
        const keys = new Set(all.map(([key]) => key));
        const held = [...keys].flatMap((key) => {
          const outputs = find(cache, key);
          return outputs ? [entryBytes(key, outputs)] : [];
        });
        expect(cache.usage()).toEqual({
          entries: held.length,
          bytes: held.reduce((sum, one) => sum + one, 0),
        });
      }),
    );
  });

  it('keeps outputs without data', () => {
    const cache = new LocalResponseCache(10_000);

    cache.insert('k', bytes(0));

    expect(find(cache, 'k')![0]!.data).toHaveLength(0);
  });
});
