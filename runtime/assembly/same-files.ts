// A session that is made later than the first one of its version (on another thread, after a death, by a request) must be of the same
// files, or one version would give the answers of two.

import { join } from 'node:path';
import { RuntimeError } from '../core/errors.js';
import type { ModelDescription } from '../repository/model-description.js';
import { fingerprint } from '../repository/model-source.js';

/** Remembers the files of the version as they are now; the function rejects when they are others. */
export async function sameFiles(
  { name, directory }: ModelDescription,
  version: number,
): Promise<() => Promise<void>> {
  const path = join(directory, String(version));
  const before = await fingerprint(path);
  return async () => {
    if ((await fingerprint(path)) === before) return;
    const text = `the files of version ${version} of model '${name}' have changed since it was loaded; load the model again`;
    throw new RuntimeError('MODEL_NOT_READY', text);
  };
}
