import { describe, expect, it } from 'vitest';
import { LONGEST_TEXT, shortText } from './short-text.js';

describe('shortText', () => {
  it('is the text of whatever it is given', () => {
    expect(['a', 1, undefined, Symbol('s')].map(shortText)).toEqual([
      'a',
      '1',
      'undefined',
      'Symbol(s)',
    ]);
    expect(shortText(Object.create(null))).toBe('an object that has no text');
  });

  it('is cut where it is long', () => {
    const text = shortText('x'.repeat(LONGEST_TEXT + 1));

    expect(text).toBe(`${'x'.repeat(LONGEST_TEXT)}… (${LONGEST_TEXT + 1} characters)`);
  });
});
