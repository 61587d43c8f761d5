import { describe, expect, it } from 'vitest';
import { versionsToServe } from './version-policy.js';

describe('versionsToServe', () => {
  it.each([
    ['the latest when nothing is said', undefined, [3]],
    ['the latest two', { latest: { num_versions: 2 } }, [2, 3]],
    ['the latest when the number is left out', { latest: {} }, [3]],
    ['as many as there are', { latest: { num_versions: 9 } }, [1, 2, 3]],
    ['all', { all: {} }, [1, 2, 3]],
    ['those that are named and there', { specific: { versions: [3, '1', 7] } }, [1, 3]],
    ['none', { specific: {} }, []],
  ])('takes %s', (_what, policy, versions) => {
    expect(versionsToServe(policy, [2, 3, 1])).toEqual(versions);
  });

  it('orders versions as numbers', () => {
    expect(versionsToServe({ latest: { num_versions: 2 } }, [1, 10, 3])).toEqual([3, 10]);
  });
});
