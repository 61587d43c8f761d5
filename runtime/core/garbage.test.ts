import { describe, expect, it } from 'vitest';
import { collectGarbage } from './garbage.js';

describe('collectGarbage', () => {
  it('frees what nothing refers to any more', () => {
    let large: number[] | undefined = new Array<number>(4e6).fill(1);
    const before = process.memoryUsage().heapUsed;
    expect(large.length).toBe(4e6);

    large = undefined;
    collectGarbage();
    collectGarbage();

    expect(process.memoryUsage().heapUsed).toBeLessThan(before - 16e6);
  });
});
