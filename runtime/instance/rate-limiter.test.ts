import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResourceNeed } from '../config/instance-group-config.js';
import type { ResourceLimit } from '../config/rate-limit-config.js';
import { RateLimiter, type ResourceClaim } from './rate-limiter.js';

function need(count: number, { name = 'R', isGlobal = false } = {}): ResourceNeed {
  return { name, isGlobal, count };
}

function limit(count: number, device?: number): ResourceLimit {
  return { name: 'R', count, device };
}

interface Wish {
  readonly priority?: number;
  readonly deviceId?: number;
}

function claim(
  limiter: RateLimiter,
  resources: readonly ResourceNeed[],
  { priority = 1, deviceId = 0 }: Wish = {},
): ResourceClaim {
  const wanted = { rateLimiter: { priority, resources }, deviceId };
  limiter.check([wanted]);
  return limiter.join(wanted);
}

/** Waits, and notes and takes its turn. */
function takeTurn(it: ResourceClaim, name: string, log: string[]): void {
  it.await({
    resourcesFree: () => {
      log.push(name);
      it.take();
    },
  });
}

describe('RateLimiter', () => {
  it('lets so many run as the resources are enough for', () => {
    const limiter = new RateLimiter([limit(3)]);
    const [a, b] = [claim(limiter, [need(2)]), claim(limiter, [need(2)])];

    a.take();
    expect(b.isFree).toBe(false);

    a.giveBack();
    expect(b.isFree).toBe(true);
  });

  it('has as much of a resource without a limit as the neediest instance needs', () => {
    const limiter = new RateLimiter([]);
    const [a, b, c] = [1, 2, 3].map((count) => claim(limiter, [need(count)])) as [
      ResourceClaim,
      ResourceClaim,
      ResourceClaim,
    ];

    a.take();
    b.take();
    expect(c.isFree).toBe(false);

    b.leave();
    b.giveBack();
    a.giveBack();
    expect(c.isFree).toBe(true);
  });

  it('gives what has been given back to the one that has run least, times its priority', () => {
    const limiter = new RateLimiter([limit(1)]);
    const often = claim(limiter, [need(1)]);
    const seldom = claim(limiter, [need(1)], { priority: 3 });
    const never = claim(limiter, [need(1)]);
    const log: string[] = [];
    seldom.take();
    seldom.giveBack();
    for (let i = 0; i < 2; i++) {
      often.take();
      often.giveBack();
    }

    never.take();
    takeTurn(seldom, 'seldom', log);
    takeTurn(often, 'often', log);
    never.giveBack();
    expect(log).toEqual(['often']);

    often.giveBack();
    expect(log).toEqual(['often', 'seldom']);
  });

  it('lets nobody take what one waits for that ranks before it', () => {
    const limiter = new RateLimiter([limit(2)]);
    const [running, small, large] = [1, 1, 2].map((count) => claim(limiter, [need(count)])) as [
      ResourceClaim,
      ResourceClaim,
      ResourceClaim,
    ];
    const log: string[] = [];
    small.take();
    small.giveBack();

    running.take();
    takeTurn(large, 'large', log);
    takeTurn(small, 'small', log);
    expect(log).toEqual([]);

    running.giveBack();
    expect(log).toEqual(['large']);
  });

  it('tells the next when the one that is told does not run any more', () => {
    const limiter = new RateLimiter([limit(1)]);
    const [a, b, c] = [0, 1, 2].map(() => claim(limiter, [need(1)])) as [
      ResourceClaim,
      ResourceClaim,
      ResourceClaim,
    ];
    const log: string[] = [];

    a.take();
    b.await({ resourcesFree: () => log.push('b has nothing to do') });
    takeTurn(c, 'c', log);
    a.giveBack();

    expect(log).toEqual(['b has nothing to do', 'c']);
  });

  it('has a pool for each device, and one for all of what is global', () => {
    const limiter = new RateLimiter([]);
    const global = need(1, { name: 'G', isGlobal: true });
    const here = claim(limiter, [need(1)], { deviceId: 0 });
    const there = claim(limiter, [need(1)], { deviceId: 1 });
    const both = [0, 1].map((deviceId) => claim(limiter, [global], { deviceId }));

    here.take();
    both[0]!.take();

    expect([there.isFree, both[1]!.isFree]).toEqual([true, false]);
  });

  it('refuses an instance that needs more than there is on its device', () => {
    const limiter = new RateLimiter([limit(8, 0), limit(3, 1)]);

    claim(limiter, [need(4)], { deviceId: 0 });
    expect(() => claim(limiter, [need(4)], { deviceId: 1 })).toThrow(
      'Resource count for "R" is limited to 3 which will prevent scheduling of one or more model instances, the minimum required count is 4',
    );
  });

  it('refuses a resource that is global here and not there', () => {
    const limiter = new RateLimiter([]);
    claim(limiter, [need(1)]);

    expect(() => claim(limiter, [need(1, { isGlobal: true })])).toThrow(
      'Resource "R" is present as both global and device-specific resource',
    );
  });

  it('refuses instances that come together and name a resource global and not', () => {
    const limiter = new RateLimiter([]);
    const wanted = [true, false].map((isGlobal) => ({
      rateLimiter: { priority: 1, resources: [need(1, { isGlobal })] },
      deviceId: 0,
    }));

    expect(() => limiter.check(wanted)).toThrow(
      'Resource "R" is present as both global and device-specific resource in the model configuration.',
    );
  });

  it('has nothing of a resource that no limit names, where limits name others', () => {
    const limiter = new RateLimiter([limit(10, 10), { name: 'S', count: 2, device: undefined }]);

    expect(() => claim(limiter, [need(4)])).toThrow(
      'Resource count for "R" is limited to 0 which will prevent scheduling of one or more model instances, the minimum required count is 4',
    );
  });

  it('has as much of a global resource as the largest of its limits says, on whatever device', () => {
    const limiter = new RateLimiter([limit(2, 3), limit(5, 1), limit(4)]);

    expect(() => claim(limiter, [need(6, { isGlobal: true })])).toThrow('is limited to 5 which');
    expect(claim(limiter, [need(5, { isGlobal: true })]).isFree).toBe(true);
  });

  it('adds nothing up: a limit of a device and one of all devices are the larger of the two', () => {
    const limiter = new RateLimiter([limit(2, 0), limit(3)]);

    expect(() => claim(limiter, [need(4)], { deviceId: 0 })).toThrow('is limited to 3 which');
  });

  it('lets an instance that needs nothing run at any time, and counts what it runs', () => {
    const limiter = new RateLimiter([]);
    const claimed = limiter.join({ deviceId: 0 });

    claimed.take();

    expect([claimed.isFree, claimed.rank]).toEqual([true, 1]);
  });

  it('never gives more than there is, and forgets nobody who waits', () => {
    const instance = fc.record({
      counts: fc.tuple(fc.nat(3), fc.nat(2)),
      priority: fc.integer({ min: 1, max: 3 }),
    });
    const runs = fc.array(fc.nat(20), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(instance, { minLength: 1, maxLength: 6 }), runs, (instances, steps) => {
        const limiter = new RateLimiter([limit(4), { name: 'S', count: 2, device: undefined }]);
        const names = ['R', 'S'];
        const claims = instances.map(({ counts, priority }) => {
          const needs = counts.map((count, i) => need(count, { name: names[i]! }));
          return claim(
            limiter,
            needs.filter(({ count }) => count > 0),
            { priority },
          );
        });
        const limits = [4, 2];
        const running: number[] = [];
        const owed = instances.map(() => 0);
        const pump = (at: number): void => {
          if (owed[at] === 0 || running.includes(at)) return;
          if (!claims[at]!.isFree) {
            claims[at]!.await({ resourcesFree: () => pump(at) });
            return;
          }
          owed[at]!--;
          running.push(at);
          claims[at]!.take();
          for (const resource of [0, 1]) {
            const taken = running.reduce((sum, i) => sum + instances[i]!.counts[resource]!, 0);
            expect(taken).toBeLessThanOrEqual(limits[resource]!);
          }
        };
        const end = (): void => {
          const at = running.shift()!;
          claims[at]!.giveBack();
          pump(at);
        };
        for (const step of steps) {
          if (step % 3 === 0 && running.length > 0) end();
          else {
            owed[step % claims.length]!++;
            pump(step % claims.length);
          }
        }
        while (running.length > 0) end();
        expect(owed.every((count) => count === 0)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
