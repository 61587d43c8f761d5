import { describe, expect, it } from 'vitest';
import { parseByteSize } from './byte-size.js';

describe('parseByteSize', () => {
  it.each([
    ['0', 0],
    ['1048576', 1048576],
    ['512M', 512 * 2 ** 20],
    ['4G', 4 * 2 ** 30],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['2 kb', 2048],
    ['1T', 2 ** 40],
  ])('takes %s', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  it.each(['', 'G', '-1', '1X', '1e9', '99999999T', '1,5G'])('does not take %j', (text) => {
    expect(parseByteSize(text)).toBeUndefined();
  });
});
