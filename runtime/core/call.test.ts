import { describe, expect, it } from 'vitest';
import { Call, Effort, Timings } from './call.js';

function listener(log: string[], name: string): { callCancelled(): void } {
  return { callCancelled: () => log.push(name) };
}

describe('Call', () => {
  it('tells its listeners of the cancellation once, in their order', () => {
    const log: string[] = [];
    const call = new Call(0);

    call.onCancel(listener(log, 'a'));
    call.onCancel(listener(log, 'b'));
    call.cancel();
    call.cancel();

    expect(log).toEqual(['a', 'b']);
  });

  it('tells a listener that comes after the cancellation at once', () => {
    const log: string[] = [];
    const call = new Call(0);

    call.cancel();
    call.onCancel(listener(log, 'late'));

    expect(log).toEqual(['late']);
  });

  it('has children that are cancelled with it, or alone', () => {
    const call = new Call(0);
    const [first, second] = [call.child(0), call.child(0)];

    first.cancel();
    expect([call.cancelled, first.cancelled, second.cancelled]).toEqual([false, true, false]);

    call.cancel();
    expect(second.cancelled).toBe(true);
  });

  it('forgets children that are over, however many it has, and no other', () => {
    const call = new Call(0);
    const first = call.child(0);
    const gone = Array.from({ length: 5000 }, () => {
      const child = call.child(0);
      child.isOver = true;
      return child;
    });
    const last = call.child(0);

    call.cancel();

    expect([first.cancelled, last.cancelled]).toEqual([true, true]);
    expect(gone.filter(({ cancelled }) => cancelled).length).toBeLessThan(100);
  });

  it('knows of so many of its legs only', () => {
    const call = new Call(0);
    const leg = { target: { name: '' }, modelName: '', modelVersion: '' };
    for (let i = 0; i < 5000; i++) call.sent({ ...leg, call, endedAt: i, error: undefined });

    expect(call.legs).toHaveLength(1000);
    expect(call.legs[999]!.endedAt).toBe(999);
  });

  it('counts the legs of its legs among them', () => {
    const call = new Call(0);
    const leg = { target: { name: '' }, modelName: '', modelVersion: '', endedAt: 1 };
    const children = Array.from({ length: 20 }, () => call.child(0).child(0));
    for (const child of children)
      for (let i = 0; i < 100; i++) child.sent({ ...leg, call: child, error: undefined });

    const known = children.map(({ legs }) => legs.length);
    expect(known.reduce((sum, count) => sum + count)).toBe(1000);
    expect([known[0], known[9], known[10]]).toEqual([100, 100, 0]);
  });

  it('passes its deadline on, never a later one', () => {
    const call = new Call(0, 100);

    expect(call.child(0).deadline).toBe(100);
    expect(call.child(0, 50).deadline).toBe(50);
    expect(call.child(0, 500).deadline).toBe(100);
  });

  it('knows whether its deadline is a limit that the configuration has set', () => {
    const call = new Call(0, 100);
    const limited = call.child(0, 50);

    expect([call, limited, limited.child(0), call.child(0, 500)].map((c) => c.isLimited)).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(call.child(0, 50, false).isLimited).toBe(false);
    expect(limited.child(0, 40, false).isLimited).toBe(true);
  });

  it('shares with its children where it has been, what it took and which models failed', () => {
    const call = new Call(0);
    call.tried = ['a:1'];
    call.effort = new Effort();
    call.replaced = ['m:1'];

    const child = call.child(0);

    expect(child.tried).toBe(call.tried);
    expect(child.effort).toBe(call.effort);
    expect(child.replaced).toEqual(['m:1']);
  });
});

describe('Timings', () => {
  it('takes all from the leg that was answered but when the request came', () => {
    const [timings, leg] = [new Timings(), new Timings()];
    Object.assign(leg, {
      ...{ receivedAt: 5, queuedAt: 6, dispatchedAt: 7, completedAt: 8, batchSize: 9 },
      ...{ cached: true, inputMs: 10, inferMs: 11, outputMs: 12 },
    });
    timings.receivedAt = 1;

    timings.take(leg);

    expect(timings).toEqual(Object.assign(leg, { receivedAt: 1 }));
  });
});
