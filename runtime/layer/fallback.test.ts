import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../core/errors.js';
import { NO_PARAMETERS, type InferenceRequest } from '../core/inference.js';
import { aRequest, aResponse, aTensor } from '../testing/build.js';
import { HeldServable } from '../testing/held-servable.js';
import { PolicyBench } from '../testing/policy-bench.js';
import { servableConformance } from '../testing/servable-conformance.js';
import { fallbackTarget, type FallbackOptions } from './fallback-target.js';
import { Fallback } from './fallback.js';

const NO_NAMES = { inputs: new Map<string, string>(), outputs: new Map<string, string>() };

function asks(name: string, version = 0, names = NO_NAMES): FallbackOptions {
  return { level: `${name} level`, model: { name, version }, names };
}

const LAST_GOOD: FallbackOptions = {
  level: 'stale',
  lastGood: { keyParameter: 'user', maxAgeMs: 10_000 },
};

/** A model 'm' with fallbacks, which are models that answer when they are told to. */
class FallbackBench extends PolicyBench<Fallback> {
  readonly others: Map<string, HeldServable>;

  constructor(...targets: FallbackOptions[]) {
    const others = new Map<string, HeldServable>();
    super((parts) => {
      const ask = ({ name, version }: { name: string; version: number }): HeldServable => {
        const other = new HeldServable(parts.clock);
        others.set(version === 1 ? `${name}:1` : name, other);
        return other;
      };
      return new Fallback(
        targets.map((options, i) => fallbackTarget(options, i + 1, ask)),
        parts,
      );
    });
    this.others = others;
  }

  other(name: string): HeldServable {
    return this.others.get(name)!;
  }
}

const forUser = (user: string): InferenceRequest =>
  aRequest({ parameters: { ...NO_PARAMETERS, custom: new Map([['user', user]]) } });

servableConformance('a model with a fallback that is there', () => {
  const bench = new FallbackBench(LAST_GOOD);
  return bench.subject;
});

describe('Fallback', () => {
  it('asks nobody else while the model answers', () => {
    const bench = new FallbackBench(asks('small'));

    const { reply } = bench.ask();
    bench.model.asked[0]!.answer();

    expect(reply.outcome).toBe('ok');
    expect(reply.responses[0]!.degradation).toBeUndefined();
    expect(bench.other('small').asked).toHaveLength(0);
    expect(bench.count('fallbacks')).toBe(0);
  });

  it('goes on to the next target when one answers what the model cannot have answered', () => {
    const bench = new FallbackBench(asks('changed'), asks('small'));

    const { reply } = bench.ask();
    bench.model.asked[0]!.fail('BACKEND_FAILED');
    bench.other('changed').asked[0]!.answer(aResponse({ outputs: [aTensor('other', [1], [1])] }));
    bench.other('small').asked[0]!.answer();

    expect(reply.outcome).toBe('ok');
    expect(reply.responses).toHaveLength(1);
    expect(reply.responses[0]!.degradation).toMatchObject({ level: 'small level' });
  });

  it('fails with the error of the model when no target answers what it can have answered', () => {
    const bench = new FallbackBench(asks('changed'));

    const { reply } = bench.ask();
    bench.model.asked[0]!.fail('BACKEND_FAILED');
    bench.other('changed').asked[0]!.answer(aResponse({ outputs: [] }));

    expect(reply.responses).toHaveLength(0);
    expect(reply.outcome).toBe('BACKEND_FAILED');
  });

  it.each<ErrorCode>([
    'BACKEND_FAILED',
    'BACKEND_LOST',
    'MODEL_NOT_READY',
    'QUEUE_FULL',
    'QUEUE_TIMEOUT',
    'DEADLINE_EXCEEDED',
    'CIRCUIT_OPEN',
    'INTERNAL',
  ])('lets another model answer in its name after %s', (code) => {
    const bench = new FallbackBench(asks('small'));

    const { reply, call } = bench.ask();
    bench.model.asked[0]!.fail(code);
    const [asked] = bench.other('small').asked;
    asked!.call.timings.inferMs = 3;
    asked!.answer(aResponse({ modelName: 'small', modelVersion: '4' }));

    expect(reply.outcome).toBe('ok');
    expect(reply.responses[0]).toMatchObject({
      modelName: 'm',
      modelVersion: '1',
      degradation: { level: 'small level', rank: 1 },
      parameters: new Map([['served_by', 'small:4']]),
    });
    expect(call.timings.inferMs).toBe(3);
    expect(call.effort!.attempts).toBe(1);
    expect(bench.count('fallbacks')).toBe(1);
  });

  it.each<ErrorCode>(['INVALID_ARGUMENT', 'UNSUPPORTED'])('asks nobody after %s', (code) => {
    const bench = new FallbackBench(asks('small'));

    const { reply } = bench.ask();
    bench.model.asked[0]!.fail(code);

    expect(reply.outcome).toBe(code);
    expect(bench.other('small').asked).toHaveLength(0);
  });

  it('asks nobody for a caller who has gone', () => {
    const bench = new FallbackBench(asks('small'));

    bench.ask().call.cancel();

    expect(bench.other('small').asked).toHaveLength(0);
  });

  it('asks its targets in order, and fails with the model’s own error when none answers', () => {
    const bench = new FallbackBench(asks('small'), LAST_GOOD, asks('tiny'));

    const { reply } = bench.ask();
    bench.model.asked[0]!.fail('QUEUE_FULL', 'full');
    bench.other('small').asked[0]!.fail('NOT_FOUND');
    bench.other('tiny').asked[0]!.fail('BACKEND_FAILED');

    expect(reply.ends[0]).toMatchObject({
      code: 'QUEUE_FULL',
      message: 'full',
      cause: [{ code: 'QUEUE_FULL' }, { code: 'NOT_FOUND' }, { code: 'BACKEND_FAILED' }],
    });
    expect(reply.ends).toHaveLength(1);
  });

  it('asks in the names of the other model', () => {
    const names = { inputs: new Map([['x', 'INPUT0']]), outputs: new Map([['y', 'OUTPUT0']]) };
    const bench = new FallbackBench(asks('small', 2, names));

    const { reply } = bench.ask();
    bench.model.asked[0]!.fail();
    const [asked] = bench.other('small').asked;
    asked!.answer(aResponse({ outputs: [aTensor('y', [1], [5])] }));

    expect(asked!.request.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(reply.responses[0]!.outputs.map(({ name }) => name)).toEqual(['OUTPUT0']);
  });

  it('says how bad it is: the worse of the target’s place and what the target says of itself', () => {
    const bench = new FallbackBench(asks('small'));

    const { reply } = bench.ask();
    bench.model.asked[0]!.fail();
    bench
      .other('small')
      .asked[0]!.answer(aResponse({ degradation: { level: 'very bad', rank: 3 } }));

    expect(reply.responses[0]!.degradation).toEqual({ level: 'very bad', rank: 3 });
  });

  it('gives the last good answer for the same key, without asking anybody', () => {
    const bench = new FallbackBench(LAST_GOOD);
    bench.ask(forUser('ann'));
    bench.model.asked[0]!.answer(aResponse({ outputs: [aTensor('OUTPUT0', [1], [42])] }));

    const [ann, bob] = [bench.ask(forUser('ann')), bench.ask(forUser('bob'))];
    for (const asked of bench.model.open) asked.fail('BACKEND_LOST');

    expect([ann.reply.outcome, bob.reply.outcome]).toEqual(['ok', 'BACKEND_LOST']);
    expect(ann.reply.responses[0]).toMatchObject({
      outputs: [{ name: 'OUTPUT0' }],
      degradation: { level: 'stale', rank: 1 },
    });
    expect(ann.call.timings.cached).toBe(true);
    expect(ann.call.effort!.attempts).toBe(0);
  });

  it('gives no answer that has another number of rows than the request', () => {
    const bench = new FallbackBench(LAST_GOOD);
    const rows = (count: number): InferenceRequest => ({
      ...forUser('ann'),
      inputs: [aTensor('INPUT0', [count, 1], Array<number>(count).fill(0))],
    });
    bench.ask(rows(3));
    bench.model.asked[0]!.answer();

    const [fewer, as] = [bench.ask(rows(1)), bench.ask(rows(3))];
    for (const asked of bench.model.open) asked.fail();

    expect(fewer.reply.outcome).toBe('BACKEND_FAILED');
    expect(as.reply.outcome).toBe('ok');
  });

  it('keeps no degraded answer as a good one', () => {
    const bench = new FallbackBench(LAST_GOOD);
    bench.ask(forUser('ann'));
    bench.model.asked[0]!.answer(aResponse({ degradation: { level: 'bad', rank: 1 } }));

    const { reply } = bench.ask(forUser('ann'));
    bench.model.open[0]!.fail('BACKEND_LOST');

    expect(reply.outcome).toBe('BACKEND_LOST');
  });

  it('gives the model up while there is still time for the first target', () => {
    const bench = new FallbackBench(asks('small'));

    const { reply } = bench.ask(aRequest(), 100);
    bench.clock.advance(79);
    const before = bench.other('small').asked.length;
    bench.clock.advance(2);
    bench.other('small').asked[0]!.answer();

    expect(before).toBe(0);
    expect(reply.outcome).toBe('ok');
    expect(bench.model.asked[0]!.call.cancelled).toBe(true);
  });

  it('keeps back what the target usually takes, once that is known, and what the answer takes on its way', () => {
    const bench = new FallbackBench(asks('small'));
    bench.ask();
    bench.model.asked[0]!.fail();
    bench.clock.advance(30);
    bench.other('small').asked[0]!.answer();
    bench.clock.advance(250);

    bench.ask(aRequest(), 100);

    const { deadline } = bench.model.open[0]!.call;
    expect(Math.round(deadline - bench.clock.now())).toBeGreaterThanOrEqual(63);
    expect(Math.round(deadline - bench.clock.now())).toBeLessThanOrEqual(66);
  });

  it('keeps back as much of the way for the second target as for the first', () => {
    const bench = new FallbackBench(asks('middle'), asks('small'));
    bench.ask();
    bench.model.asked[0]!.fail();
    bench.clock.advance(1);
    bench.other('middle').asked[0]!.fail();
    bench.clock.advance(1);
    bench.other('small').asked[0]!.answer();
    bench.clock.advance(250);

    const { call } = bench.ask(aRequest(), 1000);
    bench.clock.advance(850);
    const { deadline } = bench.other('middle').open[0]!.call;

    expect(call.deadline - deadline).toBeGreaterThan(50);
  });

  it('asks no target that could not answer before the deadline', () => {
    const bench = new FallbackBench(asks('small'));
    bench.ask();
    bench.model.asked[0]!.fail();
    bench.clock.advance(30);
    bench.other('small').asked[0]!.answer();
    bench.clock.advance(250);

    const { reply } = bench.ask(aRequest(), 20);
    bench.model.open[0]!.fail('QUEUE_FULL');

    expect(reply.outcome).toBe('QUEUE_FULL');
    expect(bench.other('small').asked).toHaveLength(1);
  });

  it('asks no model that has failed for the same request, so that it never goes in circles', () => {
    const bench = new FallbackBench(asks('other'), asks('m', 2), asks('m', 1));

    const { reply, call } = bench.ask();
    call.replaced = ['other:3'];
    bench.model.asked[0]!.fail();
    bench.other('m').asked[0]!.fail();

    expect(bench.other('other').asked).toHaveLength(0);
    expect(bench.other('m:1').asked).toHaveLength(0);
    expect(bench.other('m').asked[0]!.call.replaced).toEqual(['other:3', 'm:1']);
    expect(reply.outcome).toBe('BACKEND_FAILED');
  });
});
