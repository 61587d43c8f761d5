import { describe, expect, it } from 'vitest';
import { MOST_UNREAD } from '../core/call.js';
import { StreamWindow } from './stream-window.js';

function filled(): { window: StreamWindow; last: Promise<void> | undefined } {
  const window = new StreamWindow();
  for (let sent = 1; sent < MOST_UNREAD; sent++) expect(window.sent()).toBeUndefined();
  return { window, last: window.sent() };
}

describe('StreamWindow', () => {
  it('lets the model go on when answers have been taken', async () => {
    const { window, last } = filled();
    expect(last).toBeInstanceOf(Promise);

    window.taken(2);

    await last;
    expect(window.sent()).toBeUndefined();
    expect(window.sent()).toBeInstanceOf(Promise);
  });

  it('holds nothing back when nobody reads any more', async () => {
    const { window, last } = filled();

    window.cancel();

    await last;
    expect([window.isCancelled(), window.signal.aborted]).toEqual([true, true]);
    expect(window.sent()).toBeUndefined();
  });
});
