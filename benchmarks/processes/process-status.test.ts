import { describe, expect, it } from 'vitest';
import { statusFrom } from './process-status.js';

describe('statusFrom', () => {
  it('reads the lines of the kernel', () => {
    expect(statusFrom('VmHWM:\t   9 kB\nVmRSS:\t   1234 kB\nThreads:\t3\n')).toEqual({
      residentBytes: 1234 * 1024,
      threads: 3,
    });
  });

  it('refuses what a process that has ended leaves', () => {
    expect(() => statusFrom('Name:\tnode\n')).toThrow('no VmRSS');
  });
});
