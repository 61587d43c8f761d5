import { describe, expect, it } from 'vitest';
import { ModelLifecycle } from './model-lifecycle.js';

const SOURCE = { fingerprint: 'f', inPlace: 'i' };

describe('ModelLifecycle', () => {
  it('shows what users know of each state', () => {
    const lifecycle = new ModelLifecycle(1, SOURCE);
    expect(lifecycle.publicState).toEqual({ state: 'LOADING', reason: '' });

    lifecycle.transition({ kind: 'loading' });
    lifecycle.transition({ kind: 'failed', reason: 'Internal: no' });

    expect(lifecycle.publicState).toEqual({ state: 'UNAVAILABLE', reason: 'Internal: no' });
  });

  it('refuses a step that no version takes', () => {
    const lifecycle = new ModelLifecycle(1, SOURCE);

    expect(() => lifecycle.transition({ kind: 'ended' })).toThrow(
      'from new to ended. This is a bug.',
    );
  });
});
