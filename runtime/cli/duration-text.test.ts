import { describe, expect, it } from 'vitest';
import { durationText } from './duration-text.js';

describe('durationText', () => {
  it.each([
    [0, '0 µs'],
    [0.0004567, '0.46 µs'],
    [0.0123, '12.3 µs'],
    [0.999, '999 µs'],
    [0.9996, '1.00 ms'],
    [12.34, '12.3 ms'],
    [999.6, '1.00 s'],
    [12_345, '12.3 s'],
    [1_234_567, '1235 s'],
    [NaN, '–'],
  ])('shows %d ms as %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});
