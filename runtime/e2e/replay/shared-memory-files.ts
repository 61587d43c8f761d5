// Shared memory regions of the client: files in /dev/shm. Their keys get the tag of the replay, so that two replays never meet.

import { closeSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from './json.js';

export type SharedMemoryAction =
  | { readonly action: 'create'; readonly key: string; readonly size: number }
  | {
      readonly action: 'write';
      readonly key: string;
      readonly offset?: number;
      readonly base64: string;
    }
  | {
      readonly action: 'read';
      readonly key: string;
      readonly offset?: number;
      readonly size: number;
    }
  | { readonly action: 'remove'; readonly key: string };

export class SharedMemoryFiles {
  readonly #created = new Set<string>();

  /** `key` of the action as the server sees it. */
  apply(action: SharedMemoryAction): JsonObject {
    const path = join('/dev/shm', action.key);
    switch (action.action) {
      case 'create':
        writeFileSync(path, Buffer.alloc(action.size));
        this.#created.add(path);
        return { done: true };
      case 'write':
        write(path, Buffer.from(action.base64, 'base64'), action.offset ?? 0);
        return { done: true };
      case 'read':
        return { base64: read(path, action.size, action.offset ?? 0).toString('base64') };
      case 'remove':
        rmSync(path, { force: true });
        this.#created.delete(path);
        return { done: true };
    }
  }

  /** What a scenario has left behind. */
  deleteAll(): void {
    for (const path of this.#created) rmSync(path, { force: true });
  }
}

function write(path: string, bytes: Buffer, offset: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
}

function read(path: string, size: number, offset: number): Buffer {
  const bytes = Buffer.alloc(size);
  const file = openSync(path, 'r');
  const length = readSync(file, bytes, 0, size, offset);
  closeSync(file);
  return bytes.subarray(0, length);
}
