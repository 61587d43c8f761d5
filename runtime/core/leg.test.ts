import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { RecordedReply, aRequest, aResponse } from '../testing/build.js';
import { FakeClock } from '../testing/fake-clock.js';
import { Call } from './call.js';
import { RuntimeError } from './errors.js';
import { Leg, LegFigures, type LegTarget } from './leg.js';
import type { Reply, Servable } from './servable.js';
import { TimerWheel } from './timer-wheel.js';

/** Answers when the test says so. */
class HeldServable implements Servable {
  readonly asked: { readonly call: Call; readonly reply: Reply }[] = [];

  infer(_request: unknown, call: Call, reply: Reply): void {
    this.asked.push({ call, reply });
  }
}

function aTarget(): LegTarget & { readonly servable: HeldServable; readonly clock: FakeClock } {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  return {
    ...{ name: 'step 0', clock, wheel },
    servable: new HeldServable(),
    figures: new LegFigures(),
  };
}

describe('Leg', () => {
  it('hands on the answer, counts it, and is known to the call it was sent for', () => {
    const target = aTarget();
    const parent = new Call(target.clock.now());
    const reply = new RecordedReply();

    const leg = new Leg(target, reply, { parent });
    leg.send(aRequest(), 3);
    target.clock.advance(4);
    const { reply: inner } = target.servable.asked[0]!;
    inner.response(aResponse());
    inner.end();

    expect(reply.responses).toHaveLength(1);
    expect(reply.ends).toEqual([undefined]);
    expect(target.figures).toMatchObject({ sent: 1, answered: 1, rows: 3, totalMs: 4 });
    expect(parent.legs).toEqual([leg]);
  });

  it('fails when its own time is over, cancels what it asked, and drops what comes later', () => {
    const target = aTarget();
    const reply = new RecordedReply();
    const parent = new Call(target.clock.now());

    const deadline = target.clock.now() + 5;
    new Leg(target, reply, { parent, deadline }).send(aRequest());
    target.clock.advance(6);
    const { call, reply: inner } = target.servable.asked[0]!;
    inner.response(aResponse());
    inner.end();

    expect(reply.outcome).toBe('DEADLINE_EXCEEDED');
    expect(reply.ends).toHaveLength(1);
    expect(reply.responses).toHaveLength(0);
    expect(call.cancelled).toBe(true);
    expect(parent.cancelled).toBe(false);
    expect(target.figures).toMatchObject({ sent: 1, failed: 1, timedOut: 1, answered: 0 });
    expect(target.wheel.size).toBe(0);
  });

  it('says for whom its time was kept back, where that is why it ended', () => {
    const target = aTarget();
    const reply = new RecordedReply();
    const parent = new Call(target.clock.now());

    const deadline = target.clock.now() + 5;
    new Leg(target, reply, { parent, deadline, isLimit: false }).send(aRequest());
    target.clock.advance(6);

    expect(reply.ends[0]!.message).toBe(
      "model 'm' did not answer within 5 ms and the time that is left is for others",
    );
  });

  it('says nothing of its time when it ended at the very moment at which that is over', () => {
    const target = aTarget();
    const deadline = target.clock.now() + 5;
    const [first, second] = [new RecordedReply(), new RecordedReply()];
    const parent = new Call(target.clock.now());
    const legs = [first, second].map((reply) => new Leg(target, reply, { parent, deadline }));
    for (const leg of legs) leg.send(aRequest());
    first.end = second.end = (): void => {
      for (const { reply } of target.servable.asked) reply.end();
    };

    target.clock.advance(6);

    expect(target.figures).toMatchObject({ sent: 2, timedOut: 1, failed: 1, answered: 1 });
  });

  it('leaves its parent’s deadline to those that keep it, and is never due later', () => {
    const target = aTarget();
    const parent = new Call(target.clock.now(), target.clock.now() + 5);

    const leg = new Leg(target, new RecordedReply(), { parent, deadline: parent.deadline + 1 });
    leg.send(aRequest());

    expect(leg.call.deadline).toBe(parent.deadline);
    expect(target.wheel.size).toBe(0);
  });

  it('says nothing more when it is abandoned, and is counted as that alone', () => {
    const target = aTarget();
    const reply = new RecordedReply();

    const leg = new Leg(target, reply, { parent: new Call(target.clock.now()) });
    leg.send(aRequest());
    leg.abandon();
    target.servable.asked[0]!.reply.end(new RuntimeError('CANCELLED', 'gone'));

    expect(reply.ends).toHaveLength(0);
    expect(target.servable.asked[0]!.call.cancelled).toBe(true);
    expect(target.figures).toMatchObject({ sent: 1, abandoned: 1, failed: 0, answered: 0 });
  });

  it('has timed out as well when whom it asked was first to say so', () => {
    const target = aTarget();
    const parent = new Call(target.clock.now(), target.clock.now() + 50);
    const legs = [5, 20].map((ms) => {
      const deadline = target.clock.now() + ms;
      const leg = new Leg(target, new RecordedReply(), { parent, deadline });
      leg.send(aRequest());
      return leg;
    });

    target.clock.advance(4);
    for (const { reply } of target.servable.asked)
      reply.end(new RuntimeError('DEADLINE_EXCEEDED', 'late'));

    expect(legs.map(({ timedOut }) => timedOut)).toEqual([true, false]);
    expect(target.figures).toMatchObject({ failed: 2, timedOut: 1 });
  });

  it('keeps nothing of its request once that was sent', () => {
    const target = aTarget();
    const leg = new Leg(target, new RecordedReply(), { parent: new Call(target.clock.now()) });
    const request = aRequest({ modelName: 'part' });

    leg.send(request);

    expect(leg.modelName).toBe('part');
    expect(inspect(leg, { depth: 1, showHidden: true })).not.toContain('inputs');
  });

  it('is cancelled with its parent, which is no failure of whom it asked', () => {
    const target = aTarget();
    const parent = new Call(target.clock.now());
    const reply = new RecordedReply();

    new Leg(target, reply, { parent }).send(aRequest());
    parent.cancel();
    const { call, reply: inner } = target.servable.asked[0]!;
    inner.end(new RuntimeError('CANCELLED', 'gone'));

    expect(call.cancelled).toBe(true);
    expect(reply.outcome).toBe('CANCELLED');
    expect(target.figures).toMatchObject({ abandoned: 1, failed: 0 });
  });
});

describe('the time that a leg needs', () => {
  /** Legs that took so long, in ms, one after the other. */
  function afterLegs(...times: number[]): ReturnType<typeof aTarget> {
    const target = aTarget();
    for (const ms of times) {
      const leg = new Leg(target, new RecordedReply(), { parent: new Call(target.clock.now()) });
      leg.send(aRequest());
      target.clock.advance(ms);
      leg.end();
    }
    return target;
  }

  const needed = ({ figures, clock }: LegTarget): number =>
    Math.round(figures.neededMs(clock.now()));

  it('is nothing before one has been answered, and then what half of them take', () => {
    expect(needed(afterLegs())).toBe(0);
    expect(needed(afterLegs(10, 10, 50, 50, 50))).toBe(50);
  });

  it('is no more than the last one took, so that what was slow once is asked again', () => {
    expect(needed(afterLegs(100, 100, 100, 4))).toBe(4);
    expect(needed(afterLegs(4, 4, 4, 100))).toBe(4);
  });

  it('is not believed when none has been sent for a second', () => {
    const target = afterLegs(100, 100, 100);

    target.clock.advance(899);
    const before = needed(target);
    target.clock.advance(1);

    expect(Math.abs(before - 100)).toBeLessThanOrEqual(3);
    expect(needed(target)).toBe(0);
  });
});
