import { describe, expect, it } from 'vitest';
import { CallerFixture } from './testing/caller-fixture.js';

describe('a call', () => {
  it('is answered, and tells by whom', async () => {
    const fixture = new CallerFixture();
    const { answer } = await fixture.start();

    fixture.a.answer('yes');

    expect(await answer).toEqual({ bytes: Buffer.from('yes'), address: 'a:1' });
    expect(fixture.clock.timerCount).toBe(0);
  });

  it('has the metadata of the client and its own', async () => {
    const fixture = new CallerFixture({ metadata: { who: 'client', token: 'x' } });

    await fixture.start({ metadata: { who: 'call' } });

    expect(fixture.a.received.metadata).toEqual({ who: 'call', token: 'x' });
  });

  it('goes to the address it names, and is tried again there', async () => {
    const fixture = new CallerFixture();
    const { answer } = await fixture.start({ address: 'b:1' });
    fixture.b.fail('UNAVAILABLE');
    await fixture.clock.advance(50);

    fixture.b.answer();

    expect((await answer).address).toBe('b:1');
    expect(fixture.a.requests).toBe(0);
  });

  it('is not begun when its signal has been aborted', async () => {
    const fixture = new CallerFixture();
    await fixture.answered(1, 0);
    const signal = AbortSignal.abort(new Error('changed my mind'));

    const { answer } = await fixture.start({ signal });

    await expect(answer).rejects.toMatchObject({
      code: 'CANCELLED',
      cause: new Error('changed my mind'),
    });
    expect(fixture.sent).toBe(1);
  });

  it('is cancelled at the server by its signal', async () => {
    const fixture = new CallerFixture();
    const controller = new AbortController();
    const { answer } = await fixture.start({ signal: controller.signal });

    controller.abort();

    await expect(answer).rejects.toMatchObject({ code: 'CANCELLED', address: 'a:1' });
    expect(fixture.a.cancelled).toBe(1);
  });
});

describe('the deadline', () => {
  it('ends a call that is not answered', async () => {
    const fixture = new CallerFixture({ deadlineMs: 100 });
    const { answer } = await fixture.start();

    await fixture.clock.advance(100);

    await expect(answer).rejects.toThrow('no answer within 100 ms (DEADLINE_EXCEEDED from a:1)');
    expect(fixture.a.cancelled).toBe(1);
  });

  it('of the call goes before that of the client, and is told to the server', async () => {
    const fixture = new CallerFixture({ deadlineMs: 100 });

    await fixture.start({ deadlineMs: 20 });

    expect(fixture.a.received.timeoutMs).toBe(20);
  });

  it('is not told when there is none', async () => {
    const fixture = new CallerFixture({ deadlineMs: Infinity });

    await fixture.start();

    expect(fixture.a.received.timeoutMs).toBeUndefined();
    expect(fixture.clock.timerCount).toBe(0);
  });

  it('is for all attempts together', async () => {
    const fixture = new CallerFixture({ deadlineMs: 100 });
    await fixture.start();
    await fixture.clock.advance(30);
    fixture.a.fail('UNAVAILABLE');

    await fixture.clock.advance(50);

    expect(fixture.b.received.timeoutMs).toBe(20);
  });

  it('lets no attempt be waited for that would come too late', async () => {
    const fixture = new CallerFixture({ deadlineMs: 40 });
    const { answer } = await fixture.start();

    fixture.a.fail('UNAVAILABLE');

    await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(fixture.clock.timerCount).toBe(0);
  });
});

describe('a retry', () => {
  it('goes to another address after a wait', async () => {
    const fixture = new CallerFixture();
    const { answer } = await fixture.start();
    fixture.a.fail('UNAVAILABLE');
    await fixture.clock.advance(49);
    expect(fixture.b.requests).toBe(0);

    await fixture.clock.advance(1);
    fixture.b.answer();

    expect((await answer).address).toBe('b:1');
  });

  it('waits a random part of a time that doubles up to a limit', async () => {
    const retries = { max: 3, initialBackoffMs: 10, maxBackoffMs: 30 };
    const fixture = new CallerFixture({ retries });
    fixture.random = 0.5;
    const { answer } = await fixture.start();

    for (const [connection, waitMs] of [
      [fixture.a, 5],
      [fixture.b, 10],
      [fixture.a, 15],
    ] as const) {
      connection.fail('UNAVAILABLE');
      const before = fixture.sent;
      await fixture.clock.advance(waitMs - 1);
      expect(fixture.sent).toBe(before);
      await fixture.clock.advance(1);
      expect(fixture.sent).toBe(before + 1);
    }
    fixture.b.fail('UNAVAILABLE');

    await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE', address: 'b:1' });
  });

  it.each(['INVALID_ARGUMENT', 'NOT_FOUND', 'INTERNAL', 'DEADLINE_EXCEEDED'] as const)(
    'is not made after %s',
    async (code) => {
      const fixture = new CallerFixture();
      const { answer } = await fixture.start();

      fixture.a.fail(code);

      await expect(answer).rejects.toMatchObject({ code });
      expect(fixture.b.requests).toBe(0);
    },
  );

  it('is not made of a call that must not be repeated', async () => {
    const fixture = new CallerFixture();
    const { answer } = await fixture.start({}, false);

    fixture.a.fail('UNAVAILABLE');

    await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('needs budget: a hundred at first, then its percentage of the calls', async () => {
    const fixture = new CallerFixture({
      retries: { max: 1, initialBackoffMs: 0, budgetPercent: 50 },
    });

    for (let call = 0; call < 400; call++) {
      const { answer } = await fixture.start();
      fixture.asked.fail('UNAVAILABLE');
      await fixture.clock.advance(0);
      if (fixture.asked.isAsked) fixture.asked.fail('UNAVAILABLE');
      await answer.catch(() => undefined);
    }

    expect(fixture.sent).toBe(400 + 100 + 199);
  });
});
