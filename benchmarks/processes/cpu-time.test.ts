import { describe, expect, it } from 'vitest';
import { busyTicks, processTicks } from './cpu-time.js';

describe('processTicks', () => {
  it('adds user and system time, whatever the process is called', () => {
    const stat = '17 (a (b) 1 2) S 1 17 17 0 -1 4194560 100 200 0 0 31 7 5 2 20 0 11 0 99';

    expect(processTicks(stat)).toEqual({ own: 38, waitedFor: 7 });
  });
});

describe('busyTicks', () => {
  it('counts everything but idle and waiting, of all processors', () => {
    expect(busyTicks('cpu  100 1 50 9000 800 2 3 7 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n')).toBe(156);
  });
});
