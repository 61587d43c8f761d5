// What the server's native memory comes from: glibc, or jemalloc preloaded as the image does.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Allocator {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}

export const GLIBC: Allocator = { name: 'glibc', env: {} };

/** What the Dockerfile sets, word for word. */
export const IMAGE_MALLOC_CONF = 'background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0';

export function jemalloc(library: string, mallocConf: string): Allocator {
  return { name: 'jemalloc', env: { LD_PRELOAD: library, MALLOC_CONF: mallocConf } };
}

const FILE = 'libjemalloc.so.2';

/** Where distributions have it; undefined where it is not installed. */
export function findJemalloc(): string | undefined {
  const roots = ['/usr/lib', '/usr/lib64', '/usr/local/lib'].filter((root) => existsSync(root));
  const triplets = readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu'));
  const folders = [...triplets.map((name) => join('/usr/lib', name)), ...roots];
  return folders.map((folder) => join(folder, FILE)).find((path) => existsSync(path));
}
