// What lies in the repositories: which models, where, with which versions. Reads directories, remembers nothing.

import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RuntimeError } from '../core/errors.js';

/** Directories of a model that are no versions. */
const RESERVED = new Set(['warmup', 'initial_state', 'configs']);

export interface ModelDirectory {
  readonly name: string;
  readonly path: string;
}

export interface DirectoryContents {
  /** Ascending. */
  readonly versions: readonly number[];
  /** Names of directories that look like versions and are not. */
  readonly ignored: readonly string[];
}

/** Several directories for one name: the model is in more than one repository. */
export type RepositoryListing = ReadonlyMap<string, readonly ModelDirectory[]>;

/** Every directory of every repository, by name. @throws RuntimeError INTERNAL for a repository that cannot be read */
export async function listRepositories(
  repositories: readonly string[],
): Promise<RepositoryListing> {
  const listing = new Map<string, ModelDirectory[]>();
  for (const repository of repositories) {
    for (const entry of await entriesOf(repository)) {
      if (isSystems(entry.name)) continue;
      const path = join(repository, entry.name);
      if (!(await isDirectory(entry, path))) continue;
      const found = listing.get(entry.name) ?? [];
      listing.set(entry.name, [...found, { name: entry.name, path }]);
    }
  }
  return new Map([...listing].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The directory of one model, in each repository that has one. @throws as above */
export async function findModel(
  repositories: readonly string[],
  name: string,
): Promise<ModelDirectory[]> {
  if (name === '' || name.includes('/') || isSystems(name)) return [];
  const found: ModelDirectory[] = [];
  for (const repository of repositories) {
    const path = join(repository, name);
    const info = await stat(path).catch(() => undefined);
    if (info?.isDirectory()) found.push({ name, path });
    else if (!info) await checkReadable(repository);
  }
  return found;
}

/** Nothing is known of a model whose repository is not there. */
async function checkReadable(repository: string): Promise<void> {
  try {
    await stat(repository);
  } catch (error) {
    throw unreadable(repository, error);
  }
}

/** Directories that file systems and tools leave everywhere. */
function isSystems(name: string): boolean {
  return name.startsWith('.') || name === 'lost+found';
}

async function entriesOf(repository: string): Promise<Dirent[]> {
  try {
    return await readdir(repository, { withFileTypes: true });
  } catch (error) {
    throw unreadable(repository, error);
  }
}

function unreadable(repository: string, error: unknown): RuntimeError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === 'ENOENT' ? 'there is no such directory' : message;
  const text = `model repository '${repository}' cannot be read: ${why}`;
  return new RuntimeError('INTERNAL', text, { cause: error });
}

/** A version is a directory named by a whole number without leading zeros; 0 is one. */
export async function readVersions(path: string): Promise<DirectoryContents> {
  const versions: number[] = [];
  const ignored: string[] = [];
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (!(await isDirectory(entry, join(path, entry.name)))) continue;
    if (/^(0|[1-9]\d{0,14})$/.test(entry.name)) versions.push(Number(entry.name));
    else if (!RESERVED.has(entry.name)) ignored.push(entry.name);
  }
  return { versions: versions.sort((a, b) => a - b), ignored };
}

/** Changes whenever a file below `path` is added, removed or written. */
export async function fingerprint(path: string, above: readonly string[] = []): Promise<string> {
  const info = await stat(path).catch(() => undefined);
  if (!info) return '';
  // A file that takes another's place may have its size and its time.
  if (!info.isDirectory()) return `${info.size}@${info.mtimeMs}/${info.ctimeMs}#${info.ino}`;
  // A link to a directory that it lies in.
  const real = await realpath(path);
  if (above.includes(real)) return '';
  const names = (await readdir(path)).sort();
  const parts = await Promise.all(
    names.map(async (name) => `${name}(${await fingerprint(join(path, name), [...above, real])})`),
  );
  return parts.join(' ');
}

/** The same of the files of a directory, without the directories in it and without the file named `except`. */
export async function fingerprintOfFiles(path: string, except: string): Promise<string> {
  const all = await readdir(path, { withFileTypes: true });
  const entries = all.filter(({ name }) => name !== except);
  const parts = entries.map(async (entry) => {
    const file = join(path, entry.name);
    return (await isDirectory(entry, file)) ? '' : `${entry.name}(${await fingerprint(file)})`;
  });
  return (await Promise.all(parts)).sort().join(' ');
}

/** Kubernetes mounts volumes as symbolic links. */
async function isDirectory(
  entry: { isDirectory(): boolean; isSymbolicLink(): boolean },
  path: string,
): Promise<boolean> {
  if (entry.isDirectory()) return true;
  if (!entry.isSymbolicLink()) return false;
  const target = await stat(path).catch(() => undefined);
  return target?.isDirectory() ?? false;
}
