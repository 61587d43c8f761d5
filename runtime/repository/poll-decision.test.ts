import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decidePoll, followAll, type FollowedModels, type PollDecision } from './poll-decision.js';
import type { RepositoryState } from './repository-state.js';

const SETTLE_MS = 100;

/** Looks at one state after the other. */
class Looks {
  followed: FollowedModels;
  #now = 0;

  constructor(atStart: Record<string, string> = {}) {
    this.followed = followAll(new Map(Object.entries(atStart)));
  }

  look(state: Record<string, string>, afterMs = SETTLE_MS): PollDecision {
    this.#now += afterMs;
    const seen: RepositoryState = new Map(Object.entries(state));
    const decision = decidePoll(this.followed, { state: seen, at: this.#now }, SETTLE_MS);
    this.followed = decision.followed;
    return decision;
  }
}

const NOTHING = { load: [], unload: [], isSettling: false };
const WAITING = { load: [], unload: [], isSettling: true };

describe('decidePoll', () => {
  it('does nothing about what is as it was at the start', () => {
    const looks = new Looks({ a: '1' });

    expect(looks.look({ a: '1' })).toMatchObject(NOTHING);
  });

  it('loads a model that is new or has changed when it has been the same for two looks', () => {
    const looks = new Looks({ a: '1' });

    expect(looks.look({ a: '2', b: '1' })).toMatchObject(WAITING);
    expect(looks.look({ a: '2', b: '1' })).toMatchObject({ ...NOTHING, load: ['a', 'b'] });
    expect(looks.look({ a: '2', b: '1' })).toMatchObject(NOTHING);
  });

  it('waits as long as a copy goes on', () => {
    const looks = new Looks();

    for (const size of ['1', '2', '3', '4']) expect(looks.look({ a: size })).toMatchObject(WAITING);

    expect(looks.look({ a: '4' })).toMatchObject({ load: ['a'] });
  });

  it('does not take two looks that follow closely for a settled state', () => {
    const looks = new Looks();

    looks.look({ a: '1' });

    expect(looks.look({ a: '1' }, SETTLE_MS - 1)).toMatchObject(WAITING);
    expect(looks.look({ a: '1' }, 1)).toMatchObject({ load: ['a'] });
  });

  it('unloads a model that stays away, and forgets it', () => {
    const looks = new Looks({ a: '1' });

    expect(looks.look({})).toMatchObject(WAITING);
    expect(looks.look({})).toMatchObject({ ...NOTHING, unload: ['a'] });

    expect(looks.followed.size).toBe(0);
  });

  it('takes no notice of a directory that is away for a moment', () => {
    const looks = new Looks({ a: '1' });

    looks.look({});

    expect(looks.look({ a: '1' })).toMatchObject(NOTHING);
    expect(looks.look({})).toMatchObject(WAITING);
  });

  it('does not try the same state of a model again', () => {
    const looks = new Looks();
    for (const state of ['bad', 'bad']) looks.look({ a: state });

    expect(looks.look({ a: 'bad' })).toMatchObject(NOTHING);
    looks.look({ a: 'good' });

    expect(looks.look({ a: 'good' })).toMatchObject({ load: ['a'] });
  });

  it('forgets a model that came and went before it was taken up', () => {
    const looks = new Looks();

    looks.look({ a: '1' });

    expect(looks.look({})).toMatchObject(NOTHING);
    expect(looks.followed.size).toBe(0);
  });
});

const names = ['a', 'b'] as const;
const state = fc.dictionary(fc.constantFrom(...names), fc.constantFrom('1', '2', '3'));
const steps = fc.array(fc.record({ state, afterMs: fc.integer({ min: 1, max: 2 * SETTLE_MS }) }));

describe('decidePoll, whatever happens to the files,', () => {
  it('takes up only what was the same over two looks, and ends with what is there', () => {
    fc.assert(
      fc.property(state, steps, state, (atStart, history, last) => {
        const looks = new Looks(atStart);
        const served = new Map<string, string>(Object.entries(atStart));
        /** Since when each model has been what it is. */
        const since = new Map<string, { state: string | undefined; at: number }>();
        let now = 0;
        const step = (seen: Record<string, string>, afterMs: number): void => {
          now += afterMs;
          for (const name of names)
            if (since.get(name)?.state !== seen[name] || !since.has(name))
              since.set(name, { state: seen[name], at: now });
          const { load, unload } = looks.look(seen, afterMs);
          for (const name of [...load, ...unload])
            expect(now - since.get(name)!.at).toBeGreaterThanOrEqual(SETTLE_MS);
          for (const name of load) {
            expect(served.get(name)).not.toBe(seen[name]);
            served.set(name, seen[name]!);
          }
          for (const name of unload) {
            expect(name in seen).toBe(false);
            expect(served.delete(name)).toBe(true);
          }
        };

        for (const { state: seen, afterMs } of history) step(seen, afterMs);
        for (let look = 0; look < 2; look++) step(last, SETTLE_MS);

        expect(Object.fromEntries(served)).toEqual({ ...last });
        expect([...looks.followed.keys()].sort()).toEqual(Object.keys(last).sort());
      }),
    );
  });
});
