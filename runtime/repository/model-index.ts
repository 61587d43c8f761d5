// PURE: a model as the index shows it.

import type { ModelIndexEntry } from '../core/model-control.js';
import type { ModelLifecycle } from './model-lifecycle.js';

/** `lifecycles`: undefined for a model of which no version was ever tried. `failure`: why the last attempt ended before that. */
export function indexEntries(
  name: string,
  lifecycles: readonly ModelLifecycle[] | undefined,
  failure: string | undefined,
): ModelIndexEntry[] {
  if (!lifecycles) return [withFailure({ name, state: '', reason: '' }, failure)];
  return lifecycles.map(({ version, publicState, serving, reloadFailure }) => {
    const properties = serving?.model.properties;
    const entry = { name, version, ...publicState, ...(properties && { properties }) };
    return withFailure(entry, serving && reloadFailure);
  });
}

// ---- details below; callers need not read ----

function withFailure(entry: ModelIndexEntry, loadFailure: string | undefined): ModelIndexEntry {
  return loadFailure ? { ...entry, loadFailure } : entry;
}
