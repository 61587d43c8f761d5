import { describe, expect, it } from 'vitest';
import { RuntimeError } from './errors.js';
import { LATEST, parseModelVersion } from './model-version.js';

describe('parseModelVersion', () => {
  it('takes an empty text for the latest version', () => {
    expect(parseModelVersion('')).toBe(LATEST);
  });

  it.each([
    ['1', 1],
    ['42', 42],
    ['007', 7],
    ['+3', 3],
    ['0', 0],
  ])('reads %s', (text, version) => {
    expect(parseModelVersion(text)).toBe(version);
  });

  it.each(['abc', '1x', '1.0', ' 1', '99999999999999999999'])(
    'refuses %s with the text of Triton',
    (text) => {
      const message = `failed to get model version from specified version string '${text}' (details: stol), version should be an integral value > 0`;
      expect(() => parseModelVersion(text)).toThrow(new RuntimeError('INVALID_ARGUMENT', message));
    },
  );

  it('refuses a negative number with the text of Triton', () => {
    const message =
      "invalid model version specified '-1' , version should be an integral value > 0";
    expect(() => parseModelVersion('-1')).toThrow(new RuntimeError('INVALID_ARGUMENT', message));
  });
});
