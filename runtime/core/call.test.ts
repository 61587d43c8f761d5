import { describe, expect, it } from 'vitest';
import { Call } from './call.js';

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

  it('passes its deadline on, never a later one', () => {
    const call = new Call(0, 100);

    expect(call.child(0).deadline).toBe(100);
    expect(call.child(0, 50).deadline).toBe(50);
    expect(call.child(0, 500).deadline).toBe(100);
  });
});
