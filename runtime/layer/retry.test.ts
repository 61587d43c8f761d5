import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../core/errors.js';
import { NO_PARAMETERS } from '../core/inference.js';
import { aRequest } from '../testing/build.js';
import { PolicyBench } from '../testing/policy-bench.js';
import { servableConformance } from '../testing/servable-conformance.js';
import { Retry } from './retry.js';

const retried = (): PolicyBench<Retry> =>
  new PolicyBench((parts) => new Retry({ maxAttempts: 3, initialMs: 100, maxMs: 1000 }, parts));

servableConformance('a model that is asked again', () => retried().subject);

describe('Retry', () => {
  it('asks again after a while, longer each time, and answers with what it is answered', () => {
    const bench = retried();

    const { reply } = bench.ask();
    bench.model.asked[0]!.fail('BACKEND_LOST');
    bench.clock.advance(74);
    const early = bench.model.asked.length;
    bench.clock.advance(2);
    bench.model.asked[1]!.fail('BACKEND_FAILED');
    bench.clock.advance(148);
    const stillTwo = bench.model.asked.length;
    bench.clock.advance(3);
    bench.model.asked[2]!.answer();

    expect([early, stillTwo, bench.model.asked.length]).toEqual([1, 2, 3]);
    expect(reply.outcome).toBe('ok');
    expect(reply.responses).toHaveLength(1);
    expect(bench.count('retries')).toBe(2);
    expect(bench.clock.timerCount).toBe(0);
  });

  it('gives up after as many attempts as it may make, with the first error, whose cause lists all', () => {
    const bench = retried();

    const { reply } = bench.ask();
    for (const [i, code] of (
      ['BACKEND_LOST', 'BACKEND_FAILED', 'SHUTTING_DOWN'] as const
    ).entries()) {
      bench.model.asked[i]!.fail(code);
      bench.clock.advance(1000);
    }

    expect(bench.model.asked).toHaveLength(3);
    expect(reply.ends).toHaveLength(1);
    expect(reply.ends[0]).toMatchObject({
      code: 'BACKEND_LOST',
      cause: [{ code: 'BACKEND_LOST' }, { code: 'BACKEND_FAILED' }, { code: 'SHUTTING_DOWN' }],
    });
  });

  it.each<ErrorCode>([
    'INVALID_ARGUMENT',
    'NOT_FOUND',
    'QUEUE_FULL',
    'QUEUE_TIMEOUT',
    'DEADLINE_EXCEEDED',
    'CIRCUIT_OPEN',
  ])('does not ask again after %s', (code) => {
    const bench = retried();

    const { reply } = bench.ask();
    bench.model.asked[0]!.fail(code);
    bench.clock.advance(1000);

    expect(reply.outcome).toBe(code);
    expect(bench.model.asked).toHaveLength(1);
  });

  it('asks again after a cancellation that nobody here asked for', () => {
    const bench = retried();

    bench.ask();
    bench.model.asked[0]!.fail('CANCELLED');
    bench.clock.advance(100);

    expect(bench.model.asked).toHaveLength(2);
  });

  it('does not ask for a caller who has gone, also while it waits', () => {
    const bench = retried();

    const { reply, call } = bench.ask();
    bench.model.asked[0]!.fail();
    call.cancel();
    bench.clock.advance(1000);

    expect(reply.ends.map((error) => error?.code)).toEqual(['CANCELLED']);
    expect(bench.model.asked).toHaveLength(1);
  });

  it('does not begin to wait beyond the deadline', () => {
    const bench = retried();

    const { reply } = bench.ask(aRequest(), 70);
    bench.model.asked[0]!.fail();

    expect(reply.outcome).toBe('BACKEND_FAILED');
    expect(bench.clock.timerCount).toBe(0);
  });

  it('asks again only if there is time for what the model usually takes', () => {
    const bench = retried();
    for (let i = 0; i < 5; i++) {
      bench.ask();
      bench.clock.advance(200);
      bench.model.open[0]!.answer();
    }

    const [tight, roomy] = [bench.ask(aRequest(), 270), bench.ask(aRequest(), 290)];
    for (const asked of bench.model.open) asked.fail();

    expect(tight.reply.outcome).toBe('BACKEND_FAILED');
    expect(roomy.reply.outcome).toBe('pending');
  });

  it.each([7, 7n, 'abc'])('asks once what belongs to sequence %s', (sequenceId) => {
    const bench = retried();

    const { reply } = bench.ask(aRequest({ parameters: { ...NO_PARAMETERS, sequenceId } }));
    bench.model.asked[0]!.fail();

    expect(reply.outcome).toBe('BACKEND_FAILED');
  });

  it('tells its legs in one list where they have been, and the caller’s call what the last one took', () => {
    const bench = retried();

    const { call } = bench.ask();
    bench.model.asked[0]!.call.tried!.push('one');
    bench.model.asked[0]!.fail();
    bench.clock.advance(100);
    bench.model.asked[1]!.call.timings.inferMs = 9;
    bench.model.asked[1]!.answer();

    expect(bench.model.asked[1]!.call.tried).toEqual(['one']);
    expect(call.timings.inferMs).toBe(9);
    expect(call.legs.map(({ target }) => target.name)).toEqual(['attempt 1', 'attempt 2']);
  });
});
