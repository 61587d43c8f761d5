import { describe, expect, it } from 'vitest';
import { indexEntries } from './model-index.js';
import { ModelLifecycle } from './model-lifecycle.js';

const SOURCE = { fingerprint: 'a', inPlace: '' };

describe('indexEntries', () => {
  it('shows a model of which nothing was tried by its name, and why where that is known', () => {
    expect(indexEntries('m', undefined, undefined)).toEqual([{ name: 'm', state: '', reason: '' }]);
    expect(indexEntries('m', undefined, 'a part is missing')).toEqual([
      { name: 'm', state: '', reason: '', loadFailure: 'a part is missing' },
    ]);
  });

  it('shows each version, and of those that do not serve nothing of a reload', () => {
    const failed = new ModelLifecycle(1, SOURCE);
    failed.transition({ kind: 'loading' });
    failed.transition({ kind: 'failed', reason: 'Internal: no' });
    failed.reloadFailure = 'older';

    expect(indexEntries('m', [failed, new ModelLifecycle(2, SOURCE)], 'no')).toEqual([
      { name: 'm', version: 1, state: 'UNAVAILABLE', reason: 'Internal: no' },
      { name: 'm', version: 2, state: 'LOADING', reason: '' },
    ]);
  });
});
