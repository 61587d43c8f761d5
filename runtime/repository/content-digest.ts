// What is in the files below a directory, as one short text: equal on every machine where their names and bytes are equal, however
// they came there. Unlike a fingerprint (model-source), which sizes and times of change make cheap and local, it reads everything.

import { createHash, randomUUID, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fingerprint } from './model-source.js';

/**
 * `since`: the fingerprint of the directory before something was loaded from it. When that is no longer so, nobody can say what
 * was loaded, and the text is like no other.
 */
export async function contentDigest(path: string, since: string): Promise<string> {
  const hash = createHash('sha256');
  await addDirectory(hash, path, []);
  const isUnchanged = (await fingerprint(path)) === since;
  return isUnchanged ? hash.digest('base64url') : randomUUID();
}

// ---- details below; callers need not read ----

/** Names are JSON and files are their digests: no two directories are the same text. */
async function addDirectory(hash: Hash, path: string, above: readonly string[]): Promise<void> {
  const real = await realpath(path);
  // A link to a directory that it lies in.
  if (above.includes(real)) return;
  for (const name of (await readdir(path)).sort()) {
    const entry = join(path, name);
    const info = await stat(entry).catch(() => undefined);
    if (info?.isDirectory()) {
      hash.update(`${JSON.stringify(name)}[`);
      await addDirectory(hash, entry, [...above, real]);
      hash.update(']');
    } else if (info?.isFile()) {
      hash.update(`${JSON.stringify(name)}:${await fileDigest(entry)}\n`);
    }
  }
}

async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
