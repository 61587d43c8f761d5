import { describe, expect, it } from 'vitest';
import { heldOut, isHeldOut } from './spam-messages.js';

describe('isHeldOut', () => {
  it('puts a message and its copy with other numbers and in other case on one side', () => {
    for (let i = 0; i < 50; i++) {
      const text = `Call word${i}x now on 0800 123, win 500!`.replace(/\d+x/, 'x'.repeat(i));

      expect(isHeldOut(text.toUpperCase().replace('0800', '07'))).toBe(isHeldOut(text));
    }
  });

  it('holds one message in five out', () => {
    const messages = Array.from({ length: 2000 }, (_, i) => ({
      text: `message ${i.toString(26).replace(/[0-9]/g, (digit) => 'qrstuvwxyz'[Number(digit)]!)}`,
      isSpam: false,
    }));

    const share = heldOut(messages).length / messages.length;

    expect(share).toBeGreaterThan(0.17);
    expect(share).toBeLessThan(0.23);
  });
});
