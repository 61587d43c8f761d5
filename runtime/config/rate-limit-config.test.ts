import { describe, expect, it } from 'vitest';
import { readResourceLimits } from './rate-limit-config.js';

describe('readResourceLimits', () => {
  it('reads names, counts and devices', () => {
    expect(readResourceLimits(['cores:4', 'slots:2:1'])).toEqual([
      { name: 'cores', count: 4, device: undefined },
      { name: 'slots', count: 2, device: 1 },
    ]);
  });

  it.each(['cores', 'cores:', 'cores:many', ':4', 'cores:4:gpu', 'cores:-1'])(
    'refuses %s',
    (text) => {
      expect(() => readResourceLimits([text])).toThrow(
        `--rate-limit-resource takes NAME:COUNT[:DEVICE], got '${text}'`,
      );
    },
  );
});
