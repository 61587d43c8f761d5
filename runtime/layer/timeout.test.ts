import { describe, expect, it } from 'vitest';
import { aRequest } from '../testing/build.js';
import { PolicyBench } from '../testing/policy-bench.js';
import { servableConformance } from '../testing/servable-conformance.js';
import { Timeout } from './timeout.js';

const timed = (timeoutMs: number): PolicyBench<Timeout> =>
  new PolicyBench((parts) => new Timeout(timeoutMs, parts));

servableConformance('a model with a timeout', () => timed(50).subject);

describe('Timeout', () => {
  it('ends what takes too long, and cancels it', () => {
    const bench = timed(50);

    const { reply, call } = bench.ask();
    bench.clock.advance(51);

    expect(reply.outcome).toBe('DEADLINE_EXCEEDED');
    expect(reply.ends[0]!.message).toBe("model 'm' did not answer within 50 ms (timeout)");
    expect(bench.model.asked[0]!.call.cancelled).toBe(true);
    expect(call.cancelled).toBe(false);
    expect(bench.clock.timerCount).toBe(0);
  });

  it('shortens the deadline of the caller and never extends it', () => {
    const bench = timed(50);

    bench.ask(aRequest(), 20);
    bench.ask(aRequest(), 80);

    const now = bench.clock.now();
    expect(bench.model.asked.map(({ call }) => call.deadline - now)).toEqual([20, 50]);
    expect(bench.model.asked.map(({ call }) => call.isLimited)).toEqual([false, true]);
  });

  it('tells the caller’s call what the model took', () => {
    const bench = timed(50);

    const { call } = bench.ask();
    bench.clock.advance(3);
    const { timings } = bench.model.asked[0]!.call;
    timings.dispatchedAt = bench.clock.now();
    timings.inferMs = 7;
    bench.model.asked[0]!.answer();

    expect(call.timings).toMatchObject({ dispatchedAt: bench.clock.now(), inferMs: 7 });
    expect(call.timings.receivedAt).toBe(bench.clock.now() - 3);
  });
});
