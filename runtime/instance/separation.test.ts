import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextMove, type PlacedTenant } from './separation.js';

/** L: long, s: short, u: unknown; in brackets: cannot move. */
function threads(...texts: string[]): PlacedTenant[][] {
  return texts.map((text) =>
    [...text.matchAll(/\((\w)\)|(\w)/g)].map(([, fixed, free]) => ({
      pace: PACES[fixed ?? free!]!,
      canMove: fixed === undefined,
    })),
  );
}

const PACES: Record<string, PlacedTenant['pace']> = { L: 'long', s: 'short', u: 'unknown' };

/** "L 0>1": a long one goes from thread 0 to thread 1. */
function shown(placed: readonly PlacedTenant[][], maxThreads: number): string {
  const move = nextMove(placed, maxThreads);
  if (!move) return 'stay';
  const from = placed.findIndex((tenants) => tenants.includes(move.tenant));
  return `${move.tenant.pace === 'long' ? 'L' : 's'} ${from}>${move.to}`;
}

describe('nextMove', () => {
  it.each([
    ['leaves those alone that are of one kind', ['LL', 'ss', 'u'], 3, 'stay'],
    ['does not mind those that are not measured', ['Lu', 'su'], 2, 'stay'],
    ['starts a thread for the long one while it may', ['Ls'], 2, 'L 0>new'],
    ['takes an empty thread before it starts another', ['Ls', ''], 3, 'L 0>1'],
    ['moves the fewer', ['LLLs', 'u'], 2, 's 0>1'],
    ['takes the long one to its like', ['Lsss', 'L', 'ss'], 3, 'L 0>1'],
    ['takes the short one to its like where no thread is for long ones', ['Ls', 's'], 2, 's 0>1'],
    ['prefers the thread where the fewest are at work', ['Lss', 'LL', 'uuu', 'ss'], 4, 'L 0>2'],
    ['makes one thread a thread for long ones where all are mixed', ['Lsss', 'Ls'], 2, 's 1>0'],
    ['can do nothing with one thread', ['Ls'], 1, 'stay'],
    ['leaves alone what cannot move', ['(L)(s)', 'u'], 2, 'stay'],
    ['moves the others away from what cannot move', ['(L)ss', 'u'], 2, 's 0>1'],
  ])('%s', (_what, texts, maxThreads, move) => {
    expect(shown(threads(...texts), maxThreads)).toBe(move);
  });

  it('always comes to an end, with no mixed thread where there are two threads or more', () => {
    const tenant = fc.record({
      pace: fc.constantFrom<PlacedTenant['pace'][]>('long', 'short', 'unknown'),
      canMove: fc.constant(true),
    });
    const placements = fc.array(fc.array(tenant, { maxLength: 8 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(placements, fc.nat({ max: 3 }), (start, more) => {
        const placed = start.map((tenants) => tenants.map((one) => ({ ...one })));
        const maxThreads = placed.length + more;
        const count = placed.flat().length;
        const moves = applyAll(placed, maxThreads, 4 * count + 4);

        expect(moves).toBeLessThan(4 * count + 4);
        expect(placed.flat()).toHaveLength(count);
        expect(placed.length).toBeLessThanOrEqual(maxThreads);
        if (maxThreads > 1) expect(placed.filter(isMixed)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });
});

function applyAll(placed: PlacedTenant[][], maxThreads: number, limit: number): number {
  for (let moves = 0; moves < limit; moves++) {
    const move = nextMove(placed, maxThreads);
    if (!move) return moves;
    const from = placed.find((tenants) => tenants.includes(move.tenant))!;
    from.splice(from.indexOf(move.tenant), 1);
    if (move.to === 'new') placed.push([move.tenant]);
    else placed[move.to]!.push(move.tenant);
  }
  return limit;
}

function isMixed(tenants: readonly PlacedTenant[]): boolean {
  const paces = new Set(tenants.map(({ pace }) => pace));
  return paces.has('long') && paces.has('short');
}
