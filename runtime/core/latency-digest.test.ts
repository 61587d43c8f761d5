import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyDigest } from './latency-digest.js';

describe('LatencyDigest', () => {
  it('finds quantiles to within 3 % of those of the sorted values', () => {
    const value = fc.oneof(fc.nat(100), fc.nat(1_000_000), fc.nat(2 ** 31 - 1));
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, fraction) => {
          const digest = new LatencyDigest();
          for (const one of values) digest.add(one, 0);

          const rank = Math.max(1, Math.ceil(fraction * values.length));
          const truth = [...values].sort((a, b) => a - b)[rank - 1]!;
          const found = digest.quantile(fraction, 0);

          expect(Math.abs(found - truth)).toBeLessThanOrEqual(0.03 * truth);
          expect([digest.count, digest.sum]).toEqual([
            values.length,
            values.reduce((sum, one) => sum + one, 0),
          ]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('has no quantile of nothing', () => {
    expect(new LatencyDigest().quantile(0.5, 0)).toBeNaN();
  });

  it('takes what is negative for nothing, and what is too large for the largest', () => {
    const digest = new LatencyDigest();
    digest.add(-5, 0);
    expect(digest.quantile(1, 0)).toBe(0);

    digest.add(1e15, 0);
    expect(digest.quantile(1, 0)).toBeGreaterThan(2 ** 31 * 0.97);
  });

  it('forgets what is older than two windows, and counts it all the same', () => {
    const digest = new LatencyDigest();
    digest.add(10, 0);
    digest.add(20, 29_999);
    digest.add(30, 30_000);

    expect(digest.quantile(0, 59_000)).toBe(10);
    expect(digest.quantile(0, 60_000)).toBe(30);
    expect(digest.quantile(0, 200_000)).toBeNaN();
    expect(digest.count).toBe(3);
  });
});
