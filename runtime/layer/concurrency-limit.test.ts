import { describe, expect, it } from 'vitest';
import { PolicyBench } from '../testing/policy-bench.js';
import { servableConformance } from '../testing/servable-conformance.js';
import { ConcurrencyLimit } from './concurrency-limit.js';

const limited = (limit: number): PolicyBench<ConcurrencyLimit> =>
  new PolicyBench((parts) => new ConcurrencyLimit(limit, parts));

servableConformance('a model with max_concurrency', () => limited(2).subject);

describe('ConcurrencyLimit', () => {
  it('turns away at once who finds no permit, and says how many there are', () => {
    const bench = limited(2);

    const replies = [bench.ask(), bench.ask(), bench.ask()].map(({ reply }) => reply);

    expect(replies.map(({ outcome }) => outcome)).toEqual([
      'pending',
      'pending',
      'TOO_MANY_REQUESTS',
    ]);
    expect(replies[2]!.ends[0]!.message).toBe(
      "model 'm' has as many requests under way as it may have: 2",
    );
    expect(bench.model.asked).toHaveLength(2);
    expect(bench.count('turned_away')).toBe(1);
    expect(bench.policy.underWay).toBe(2);
  });

  it.each([
    ['answered', (bench: PolicyBench<ConcurrencyLimit>) => bench.model.asked[0]!.answer()],
    ['failed', (bench: PolicyBench<ConcurrencyLimit>) => bench.model.asked[0]!.fail()],
    ['cancelled', (bench: PolicyBench<ConcurrencyLimit>) => bench.model.asked[0]!.call.cancel()],
  ])('gives the permit of a request that was %s to the next', (_how, finish) => {
    const bench = limited(1);
    bench.ask();

    finish(bench);
    bench.ask();

    expect(bench.model.asked).toHaveLength(2);
    expect(bench.policy.underWay).toBe(1);
  });

  it('takes no permit for those it turned away', () => {
    const bench = limited(1);
    bench.ask();
    for (let i = 0; i < 5; i++) bench.ask();

    bench.model.asked[0]!.answer();

    expect(bench.policy.underWay).toBe(0);
  });
});
