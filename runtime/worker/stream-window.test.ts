import { describe, expect, it } from 'vitest';
import { MOST_UNREAD, MOST_UNREAD_BYTES } from '../core/call.js';
import { StreamWindow } from './stream-window.js';

function filled(): { window: StreamWindow; last: Promise<void> | undefined } {
  const window = new StreamWindow();
  for (let sent = 1; sent < MOST_UNREAD; sent++) expect(window.sent(8)).toBeUndefined();
  return { window, last: window.sent(8) };
}

describe('StreamWindow', () => {
  it('lets the model go on when answers have been taken', async () => {
    const { window, last } = filled();
    expect(last).toBeInstanceOf(Promise);

    window.taken(2);

    await last;
    expect(window.sent(8)).toBeUndefined();
    expect(window.sent(8)).toBeInstanceOf(Promise);
  });

  it('lets the model be less far ahead with large answers', async () => {
    const window = new StreamWindow();
    expect(window.sent(MOST_UNREAD_BYTES / 2)).toBeUndefined();
    const last = window.sent(100 * MOST_UNREAD_BYTES);
    expect(last).toBeInstanceOf(Promise);

    window.taken(MOST_UNREAD / 2 + 1);
    window.taken(MOST_UNREAD);

    await last;
    expect(window.sent(8)).toBeUndefined();
  });

  it('holds nothing back when nobody reads any more', async () => {
    const { window, last } = filled();

    window.cancel();

    await last;
    expect([window.isCancelled(), window.signal.aborted]).toEqual([true, true]);
    expect(window.sent(8)).toBeUndefined();
  });
});
