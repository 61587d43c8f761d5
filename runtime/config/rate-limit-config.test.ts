import { describe, expect, it } from 'vitest';
import { readResourceLimits } from './rate-limit-config.js';

describe('readResourceLimits', () => {
  it('reads names, counts and devices', () => {
    expect(readResourceLimits(['cores:4', 'slots:2:1'])).toEqual([
      { name: 'cores', count: 4, device: undefined },
      { name: 'slots', count: 2, device: 1 },
    ]);
  });

  it('takes the smaller where a resource of a device is given twice', () => {
    expect(readResourceLimits(['cores:4:1', 'cores:2:1', 'cores:3:1', 'cores:9'])).toEqual([
      { name: 'cores', count: 2, device: 1 },
      { name: 'cores', count: 9, device: undefined },
    ]);
  });

  it.each(['cores', 'cores:', 'cores:many', ':4', 'cores:4:gpu', 'cores:-1', 'a:b:3:1'])(
    'refuses %s',
    (text) => {
      expect(() => readResourceLimits([text])).toThrow(
        `--rate-limit-resource option format is '<resource_name>:<count>:<device>' or '<resource_name>:<count>'. Got ${text}`,
      );
    },
  );
});
