import { describe, expect, it } from 'vitest';
import { CallerFixture } from './testing/caller-fixture.js';
import { settled } from './testing/fake-clock.js';

describe('a hedge', () => {
  const hedge = { delayMs: 20 };

  it('goes to another address after the delay; the first answer wins and the other is cancelled', async () => {
    const fixture = new CallerFixture({ hedge });
    const { answer } = await fixture.start();
    await fixture.clock.advance(19);
    expect(fixture.b.requests).toBe(0);
    await fixture.clock.advance(1);

    fixture.b.answer();

    expect((await answer).address).toBe('b:1');
    expect(fixture.a.cancelled).toBe(1);
    await settled();
    expect(fixture.clock.timerCount).toBe(0);
  });

  it('is cancelled when the first request is answered after all', async () => {
    const fixture = new CallerFixture({ hedge });
    const { answer } = await fixture.start();
    await fixture.clock.advance(20);

    fixture.a.answer();

    expect((await answer).address).toBe('a:1');
    await settled();
    expect(fixture.b.cancelled).toBe(1);
  });

  it('is not sent when the answer came before', async () => {
    const fixture = new CallerFixture({ hedge });
    const { answer } = await fixture.start();

    fixture.a.answer();
    await answer;

    expect(fixture.clock.timerCount).toBe(0);
  });

  it('is not sent when there is no other server', async () => {
    const fixture = new CallerFixture({ hedge }, ['a:1']);
    const { answer } = await fixture.start();
    await fixture.clock.advance(20);

    fixture.a.answer();

    expect((await answer).address).toBe('a:1');
    expect(fixture.a.requests).toBe(1);
  });

  it('is sent later when the other server was not ready in time', async () => {
    const fixture = new CallerFixture({ hedge });
    fixture.b.become('connecting');
    const { answer } = await fixture.start();
    await fixture.clock.advance(20);
    expect(fixture.b.requests).toBe(0);

    fixture.b.become('ready');
    await fixture.clock.advance(20);
    fixture.b.answer();

    expect((await answer).address).toBe('b:1');
  });

  it('of a retry goes to another server, though all have been tried', async () => {
    const fixture = new CallerFixture({ hedge, retries: { initialBackoffMs: 0 } });
    const { answer } = await fixture.start();
    fixture.a.fail('UNAVAILABLE');
    await fixture.clock.advance(0);
    await fixture.clock.advance(20);

    fixture.a.answer();

    expect((await answer).address).toBe('a:1');
    await settled();
    expect(fixture.b.cancelled).toBe(1);
  });

  it('is still waited for when the first request is lost', async () => {
    const fixture = new CallerFixture({ hedge });
    const { answer } = await fixture.start();
    await fixture.clock.advance(20);

    fixture.a.fail('UNAVAILABLE');
    await settled();
    fixture.b.answer();

    expect((await answer).address).toBe('b:1');
  });

  it('does not outlive what a server refuses for good', async () => {
    const fixture = new CallerFixture({ hedge });
    const { answer } = await fixture.start();
    await fixture.clock.advance(20);

    fixture.a.fail('INVALID_ARGUMENT');

    await expect(answer).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await settled();
    expect(fixture.b.cancelled).toBe(1);
  });

  it('fails with the first error, and then there may be a retry', async () => {
    const fixture = new CallerFixture({ hedge, retries: 0 });
    const { answer } = await fixture.start();
    await fixture.clock.advance(20);

    fixture.b.fail('UNAVAILABLE');
    await settled();
    fixture.a.fail('UNAVAILABLE');

    await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE', address: 'b:1' });
  });

  it('ends with the deadline of the call', async () => {
    const fixture = new CallerFixture({ hedge, deadlineMs: 30 });
    const { answer } = await fixture.start();

    await fixture.clock.advance(30);

    await expect(answer).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect([fixture.a.cancelled, fixture.b.cancelled]).toEqual([1, 1]);
  });

  it('waits for a quantile of what the model took lately', async () => {
    const fixture = new CallerFixture({ hedge: { quantile: 0.5 } });
    await fixture.answered(100, 10);
    await fixture.start();
    const before = fixture.sent;

    await fixture.clock.advance(9);
    expect(fixture.sent).toBe(before);
    await fixture.clock.advance(1);

    expect(fixture.sent).toBe(before + 1);
  });

  it('is not sent before enough is known of the model', async () => {
    const fixture = new CallerFixture({ hedge: { quantile: 0.5 } });
    await fixture.answered(99, 10);
    const before = fixture.sent;

    await fixture.start();
    await fixture.clock.advance(1_000);

    expect(fixture.sent).toBe(before + 1);
  });

  it('needs budget', async () => {
    const fixture = new CallerFixture({ hedge: { delayMs: 0, budgetPercent: 10 } });

    for (let call = 0; call < 300; call++) {
      const { answer } = await fixture.start();
      await fixture.clock.advance(0);
      fixture.asked.answer();
      await answer;
      await settled();
    }

    expect(fixture.sent).toBe(300 + 100 + 29);
  });
});
