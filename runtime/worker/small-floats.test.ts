import { describe, expect, it } from 'vitest';
import { bfloat16Of, floatOfBfloat16, floatOfHalf, halfOf } from './small-floats.js';

const ALL = Array.from({ length: 0x10000 }, (_, bits) => bits);

describe.each([
  ['FP16', floatOfHalf, halfOf],
  ['BF16', floatOfBfloat16, bfloat16Of],
])('%s', (_name, floatOf, bitsOf) => {
  it('has every value again that it has given', () => {
    const changed = ALL.filter((bits) => {
      const value = floatOf(bits);
      return !Object.is(value, floatOf(bitsOf(value)));
    });

    expect(changed).toEqual([]);
  });

  it('rounds to the nearest, and halves to even', () => {
    const wrong = ALL.filter((bits) => {
      const [low, high] = [floatOf(bits), floatOf(bits + 1)];
      // Neighbours of one sign, both finite.
      if (!Number.isFinite(low) || !Number.isFinite(high) || (bits & 0x7fff) === 0x7fff)
        return false;
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? low : high;
      return !Object.is(floatOf(bitsOf(Math.fround(middle))), even);
    });

    expect(wrong).toEqual([]);
  });
});

describe('what is too large', () => {
  it.each([
    [65_519, 65_504],
    [65_520, Infinity],
    [-1e9, -Infinity],
  ])('for FP16: %d is %d', (value, expected) => {
    expect(floatOfHalf(halfOf(value))).toBe(expected);
  });
});
