// How much the files of a directory weigh: most of what a model takes in memory.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Files in directories below it included. */
export async function directoryBytes(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { recursive: true })) {
    const info = await stat(join(path, entry));
    if (info.isFile()) bytes += info.size;
  }
  return bytes;
}
