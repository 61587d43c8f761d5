import { describe, expect, it } from 'vitest';
import { NO_PARAMETERS } from '../core/inference.js';
import { Call } from '../core/call.js';
import { RecordedReply, aBatchedConfig, aRequest, aResponse } from '../testing/build.js';
import { POLICY_MODEL, PolicyBench } from '../testing/policy-bench.js';
import { SchedulerBench } from '../testing/scheduler-bench.js';
import { servableConformance } from '../testing/servable-conformance.js';
import { Hedge, type HedgeOptions } from './hedge.js';

function hedged(options: Partial<HedgeOptions> = {}): PolicyBench<Hedge> {
  const all = { delay: { ms: 10 }, maxAttempts: 2, budgetPercent: 5, ...options };
  return new PolicyBench((parts) => new Hedge(all, parts));
}

/** Requests that are answered after `ms`. */
function answered(bench: PolicyBench<Hedge>, count: number, ms: number): void {
  for (let i = 0; i < count; i++) {
    bench.ask();
    bench.clock.advance(ms);
    bench.model.open[0]!.answer();
  }
}

servableConformance('a model that is hedged', () => hedged().subject);

describe('Hedge', () => {
  it('asks once what is answered in time', () => {
    const bench = hedged();

    const { reply, call } = bench.ask();
    bench.clock.advance(9);
    bench.model.asked[0]!.answer();
    bench.clock.advance(100);

    expect(reply.outcome).toBe('ok');
    expect(bench.model.asked).toHaveLength(1);
    expect(call.effort!.hedged).toBe(false);
    expect(bench.clock.timerCount).toBe(0);
  });

  it('asks again after the delay, answers with the first good answer, and cancels the other leg', () => {
    const bench = hedged();

    const { reply, call } = bench.ask();
    bench.clock.advance(11);
    const [first, second] = bench.model.asked;
    second!.call.timings.inferMs = 4;
    second!.answer(aResponse({ modelVersion: '7' }));
    first!.answer();

    expect(reply.responses.map(({ modelVersion }) => modelVersion)).toEqual(['7']);
    expect(reply.ends).toEqual([undefined]);
    expect(first!.call.cancelled).toBe(true);
    expect(call.effort!.hedged).toBe(true);
    expect(call.timings.inferMs).toBe(4);
    expect([bench.count('hedges'), bench.count('hedge_wins')]).toEqual([1, 1]);
  });

  it('sends as many legs as it may, one after each delay', () => {
    const bench = hedged({ maxAttempts: 3 });

    bench.ask();
    const sent = [5, 11, 11, 11].map((ms) => {
      bench.clock.advance(ms);
      return bench.model.asked.length;
    });

    expect(sent).toEqual([1, 2, 3, 3]);
  });

  it('waits for the other leg when one fails, such as a hedge for which the queue is full', () => {
    const bench = hedged();

    const { reply } = bench.ask();
    bench.clock.advance(11);
    bench.model.asked[1]!.fail('QUEUE_FULL');
    const pending = reply.outcome;
    bench.model.asked[0]!.answer();

    expect([pending, reply.outcome]).toEqual(['pending', 'ok']);
    expect(bench.count('hedge_wins')).toBe(0);
  });

  it('fails with the first error when all legs have failed', () => {
    const bench = hedged();

    const { reply } = bench.ask();
    bench.clock.advance(11);
    bench.model.asked[1]!.fail('BACKEND_LOST');
    bench.model.asked[0]!.fail('BACKEND_FAILED');

    expect(reply.ends[0]).toMatchObject({
      code: 'BACKEND_LOST',
      cause: [{ code: 'BACKEND_LOST' }, { code: 'BACKEND_FAILED' }],
    });
  });

  it('fails at once when the request is wrong, and when the only leg fails', () => {
    const bench = hedged();

    const wrong = bench.ask().reply;
    const broken = bench.ask().reply;
    bench.model.asked[1]!.fail('BACKEND_FAILED');
    bench.clock.advance(11);
    bench.model.open[0]!.fail('INVALID_ARGUMENT');

    expect([wrong.outcome, broken.outcome]).toEqual(['INVALID_ARGUMENT', 'BACKEND_FAILED']);
    expect(bench.model.open).toHaveLength(0);
  });

  it('takes the leg that lost out of the queue of its model', async () => {
    const bench = new SchedulerBench(aBatchedConfig(''));
    const { clock, wheel, runner, statistics } = bench;
    const model = POLICY_MODEL;
    const options = { delay: { ms: 10 }, maxAttempts: 2, budgetPercent: 5 };
    const hedge = new Hedge(options, { model, clock, wheel, random: Math.random });
    const reply = new RecordedReply();

    bench.ask();
    hedge.around(bench.scheduler).infer(aRequest(), new Call(clock.now()), reply);
    const { reply: between } = bench.ask();
    clock.advance(11);
    const waiting = statistics.pending;
    for (let i = 0; i < 3; i++) await runner.release();

    expect(waiting).toBe(3);
    expect([reply.outcome, between.outcome]).toEqual(['ok', 'ok']);
    expect(runner.started).toHaveLength(3);
    expect(statistics.pending).toBe(0);
  });

  it('is budgeted', () => {
    const bench = hedged();

    for (let i = 0; i < 200; i++) bench.ask();
    bench.clock.advance(11);

    // 100 at the start, and 5 % of what was asked since; the bucket holds no more than 100.
    expect(bench.count('hedges')).toBe(100);
    expect(bench.count('hedges_denied')).toBe(100);
  });

  it('sends none that could not answer before the deadline', () => {
    const bench = hedged();
    answered(bench, 10, 8);

    bench.ask(aRequest(), 15);
    bench.ask(aRequest(), 25);
    bench.clock.advance(11);

    expect(bench.model.open).toHaveLength(3);
    expect(bench.count('hedges')).toBe(1);
  });

  it('asks once what belongs to a sequence', () => {
    const bench = hedged();

    bench.ask(aRequest({ parameters: { ...NO_PARAMETERS, sequenceId: 3 } }));
    bench.clock.advance(100);

    expect(bench.model.asked).toHaveLength(1);
  });

  it('learns its delay from a hundred requests, and what it did not wait for counts as long', () => {
    const bench = hedged({ delay: { quantile: 0.9 } });
    answered(bench, 95, 5);
    answered(bench, 5, 50);
    const learnt = bench.model.asked.length;

    const { reply } = bench.ask();
    bench.clock.advance(8);
    bench.model.open[1]!.answer();

    expect(learnt).toBe(100);
    expect(reply.outcome).toBe('ok');
    expect(bench.count('hedges')).toBe(1);
    expect(bench.policy.delay.ms).toBeCloseTo(5, 0);
  });

  it('shares one list of where its legs have been', () => {
    const bench = hedged();

    bench.ask();
    bench.model.asked[0]!.call.tried!.push('one');
    bench.clock.advance(11);

    expect(bench.model.asked[1]!.call.tried).toEqual(['one']);
  });
});
