// What the directories of all models are like at one time, as texts to compare.

import { fingerprint, listRepositories } from './model-source.js';

/** By model name; a text changes whenever something in the model's directory does. */
export type RepositoryState = ReadonlyMap<string, string>;

/** @throws RuntimeError INTERNAL for a repository that cannot be read */
export async function readRepositoryState(
  repositories: readonly string[],
): Promise<RepositoryState> {
  const state = new Map<string, string>();
  // One after the other: nobody waits, and others need the disk.
  for (const [name, directories] of await listRepositories(repositories)) {
    const texts: string[] = [];
    for (const { path } of directories) texts.push(`${path}(${await stateOf(path)})`);
    state.set(name, texts.join(' '));
  }
  return state;
}

/** What cannot be read is a state, too: the attempt to load it will say why. */
async function stateOf(path: string): Promise<string> {
  try {
    return await fingerprint(path);
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
