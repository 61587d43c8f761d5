import { describe, expect, it } from 'vitest';
import { chooseThread, type ThreadLoad } from './placement.js';

function threads(...loads: [instances: number, siblings: number, long?: number][]): ThreadLoad[] {
  return loads.map(([instances, siblings, long = 0]) => ({ instances, siblings, long }));
}

describe('chooseThread', () => {
  it.each([
    ['starts the first thread', threads(), 8, 'new'],
    ['takes a thread that has become free before it starts another', threads([1, 0], [0, 0]), 8, 1],
    ['starts a thread while it may', threads([1, 0], [2, 0]), 3, 'new'],
    [
      'shares the thread with the fewest instances after that',
      threads([3, 0], [1, 0], [2, 0]),
      3,
      1,
    ],
    ['keeps away from instances of the same model', threads([1, 1], [5, 0]), 2, 1],
    ['keeps away from long batches', threads([1, 0, 1], [5, 0]), 2, 1],
    ['shares with a sibling where every thread has one', threads([2, 1], [1, 1]), 2, 1],
  ])('%s', (_what, loads, maxThreads, choice) => {
    expect(chooseThread(loads, maxThreads)).toBe(choice);
  });
});
