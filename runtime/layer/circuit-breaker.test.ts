import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../core/errors.js';
import { Call } from '../core/call.js';
import { RecordedReply, aRequest } from '../testing/build.js';
import { POLICY_MODEL, PolicyBench } from '../testing/policy-bench.js';
import { servableConformance } from '../testing/servable-conformance.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { Timeout } from './timeout.js';

const OPTIONS = { failureThreshold: 3, recoveryMs: 30_000, halfOpenRequests: 2 };

const watched = (): PolicyBench<CircuitBreaker> =>
  new PolicyBench((parts) => new CircuitBreaker(OPTIONS, parts));

function failed(bench: PolicyBench<CircuitBreaker>, ...codes: ErrorCode[]): void {
  for (const code of codes) {
    bench.ask();
    bench.model.open.at(-1)!.fail(code);
  }
}

function opened(): PolicyBench<CircuitBreaker> {
  const bench = watched();
  failed(bench, 'BACKEND_FAILED', 'BACKEND_LOST', 'MODEL_NOT_READY');
  return bench;
}

servableConformance('a model with a circuit breaker', () => watched().subject);

describe('CircuitBreaker', () => {
  it('goes from CLOSED to OPEN to HALF_OPEN to CLOSED as the thresholds say', () => {
    const bench = watched();
    const states = [bench.state];

    failed(bench, 'BACKEND_FAILED', 'BACKEND_LOST');
    states.push(bench.state);
    failed(bench, 'BACKEND_FAILED');
    states.push(bench.state);
    bench.clock.advance(30_000);
    bench.ask();
    states.push(bench.state);
    bench.ask();
    for (const asked of bench.model.open) asked.answer();
    states.push(bench.state);

    expect(states).toEqual(['CLOSED', 'CLOSED', 'OPEN', 'HALF_OPEN', 'CLOSED']);
    expect(['CLOSED', 'OPEN', 'HALF_OPEN'].map((to) => bench.count('transitions', to))).toEqual([
      1, 1, 1,
    ]);
  });

  it('answers for the model while it is open, and says until when', () => {
    const bench = opened();
    bench.clock.advance(28_500);

    const { reply } = bench.ask();

    expect(bench.model.asked).toHaveLength(3);
    expect(reply.outcome).toBe('CIRCUIT_OPEN');
    expect(reply.ends[0]!.message).toBe(
      "model 'm' failed 3 times in a row and is asked again in 2 s",
    );
    expect(bench.count('short_circuits')).toBe(1);
  });

  it('lets a few through when half open, and opens again with the first that fails', () => {
    const bench = opened();
    bench.clock.advance(30_000);

    const replies = [bench.ask(), bench.ask(), bench.ask()].map(({ reply }) => reply);
    bench.model.open[0]!.fail();

    expect(replies.map(({ outcome }) => outcome)).toEqual([
      'BACKEND_FAILED',
      'pending',
      'CIRCUIT_OPEN',
    ]);
    expect(bench.state).toBe('OPEN');
  });

  it('does not mind what was let through in another state', () => {
    const bench = watched();
    bench.ask();
    const late = bench.model.asked[0]!;
    failed(bench, 'BACKEND_FAILED', 'BACKEND_FAILED', 'BACKEND_FAILED');
    bench.clock.advance(30_000);
    bench.ask();

    late.fail();

    expect(bench.state).toBe('HALF_OPEN');
  });

  it.each<ErrorCode>(['INVALID_ARGUMENT', 'NOT_FOUND', 'QUEUE_FULL', 'QUEUE_TIMEOUT'])(
    'takes %s for no failure of the model',
    (code) => {
      const bench = watched();

      failed(bench, code, code, code, code);

      expect(bench.state).toBe('CLOSED');
    },
  );

  it('takes neither the caller’s cancellation nor its deadline for one', () => {
    const bench = watched();

    for (let i = 0; i < 4; i++) bench.ask().call.cancel();
    for (let i = 0; i < 4; i++) {
      bench.ask(aRequest(), 5);
      bench.clock.advance(6);
      bench.model.open[0]!.fail('DEADLINE_EXCEEDED');
    }

    expect(bench.state).toBe('CLOSED');
  });

  it('takes for one that the model was slower than its timeout', () => {
    const bench = watched();
    const { clock, wheel } = bench;
    const model = POLICY_MODEL;
    const timed = new Timeout(50, { model, clock, wheel, random: Math.random }).around(
      bench.servable,
    );

    for (let i = 0; i < 3; i++) {
      timed.infer(aRequest(), new Call(clock.now()), new RecordedReply());
      clock.advance(51);
    }

    expect(bench.state).toBe('OPEN');
  });
});
