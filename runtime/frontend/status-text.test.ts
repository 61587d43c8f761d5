import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { statusText } from './status-text.js';

describe('the text of a status', () => {
  it.each(["unexpected shape for input 'x'. ", 'a\n\tb\n', 'Größe 日本 🦓', ''])(
    'is what was said: %j',
    (text) => {
      expect(statusText(text)).toBe(text);
    },
  );

  it('shows controls and does not send them', () => {
    expect(statusText("no model '\u001b[31mred\0\u009b'")).toBe(
      "no model '\\x1b[31mred\\x00\\x9b'",
    );
  });

  it('says how long it was when it is cut', () => {
    const text = statusText('x'.repeat(1_000_000));

    expect(text).toMatch(/^x{7000,}… \(1000000 characters\)$/);
  });

  it('is whole when it is long and fits', () => {
    const text = "load failed for model 'm': ".repeat(150);

    expect(statusText(text)).toBe(text);
  });

  it('fits into the headers of any client, whatever it was made of', () => {
    const unit = fc.oneof(fc.constantFrom('a', ' ', '\0', '日', '🦓', '\ud800', '%'), fc.string());
    const texts = fc.tuple(unit, fc.nat(9000)).map(([text, times]) => text.repeat(times));
    fc.assert(
      fc.property(texts, (text) => {
        expect(encodeURI(statusText(text).toWellFormed()).length).toBeLessThan(8 * 1024 - 256);
      }),
      { numRuns: 300 },
    );
  });
});
