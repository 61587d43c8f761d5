import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import { ModelStatistics } from '../core/model-statistics.js';
import type { Reply, Servable } from '../core/servable.js';
import { RecordedReply, aRequest } from '../testing/build.js';
import { FakeClock } from '../testing/fake-clock.js';
import { servableConformance } from '../testing/servable-conformance.js';
import { observe } from './observe.js';

/** A model that answers when told. */
class Later implements Servable {
  #reply: Reply | undefined;
  #call: Call | undefined;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  infer(...[, call, reply]: Parameters<Servable['infer']>): void {
    this.#call = call;
    this.#reply = reply;
    if (call.cancelled) this.end(new RuntimeError('CANCELLED', 'cancelled'));
    else if (this.#clock.now() >= call.deadline)
      this.end(new RuntimeError('DEADLINE_EXCEEDED', 'late'));
    else
      call.onCancel({ callCancelled: () => this.end(new RuntimeError('CANCELLED', 'cancelled')) });
  }

  end(error?: RuntimeError): void {
    const reply = this.#reply;
    this.#reply = undefined;
    if (!error && reply) {
      if (this.#call) this.#call.timings.inferMs = 2;
      reply.response({ modelName: 'm', modelVersion: '1', outputs: [] });
    }
    reply?.end(error);
  }
}

servableConformance('a model under observe', () => {
  const clock = new FakeClock();
  const model = new Later(clock);
  const servable = observe(new ModelStatistics(), clock)(model);
  return {
    servable,
    clock,
    finish: async () => {
      await Promise.resolve();
      model.end();
    },
    breakDown: async () => {
      await Promise.resolve();
      model.end(new RuntimeError('BACKEND_FAILED', 'no'));
    },
  };
});

describe('observe', () => {
  it('counts successes with their times, and failures by their reason', () => {
    const clock = new FakeClock();
    const statistics = new ModelStatistics();
    const model = new Later(clock);
    const servable = observe(statistics, clock)(model);

    servable.infer(aRequest(), new Call(clock.now()), new RecordedReply());
    clock.advance(7);
    model.end();
    servable.infer(aRequest(), new Call(clock.now()), new RecordedReply());
    clock.advance(5);
    model.end(new RuntimeError('BACKEND_FAILED', 'no'));

    expect(statistics.success).toMatchObject({ count: 1, ms: 7 });
    expect(statistics.infer).toMatchObject({ count: 1, ms: 2 });
    expect(statistics.fail).toMatchObject({ count: 1, ms: 5 });
    expect(statistics.failures.BACKEND).toBe(1);
  });

  it('answers before it counts', () => {
    const clock = new FakeClock();
    const statistics = new ModelStatistics();
    const model = new Later(clock);
    const reply = new RecordedReply();
    reply.end = () => expect(statistics.success.count).toBe(0);

    observe(statistics, clock)(model).infer(aRequest(), new Call(clock.now()), reply);
    model.end();

    expect(statistics.success.count).toBe(1);
  });
});
