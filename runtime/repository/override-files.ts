// The files that a load call brought, as a directory of their own. It lies there as long as somebody holds it: the load call
// itself, then the versions that were loaded from it. What a process leaves that is killed, the next one clears (stale-overrides.ts).

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { RuntimeError, bug } from '../core/errors.js';
import { ownPrefix } from './stale-overrides.js';

export class OverrideFiles {
  readonly path: string;
  #holders = 1;

  private constructor(path: string) {
    this.path = path;
  }

  /** The caller holds it. @throws RuntimeError INVALID_ARGUMENT for a path that would lie outside; nothing is written then */
  static async write(files: ReadonlyMap<string, Uint8Array>): Promise<OverrideFiles> {
    for (const path of files.keys()) checkPath(path);
    const directory = new OverrideFiles(await mkdtemp(join(tmpdir(), await ownPrefix())));
    try {
      for (const [path, content] of files) {
        const target = join(directory.path, path);
        await mkdir(dirname(target), { recursive: true });
        await writeFile(target, content, { flag: 'wx' });
      }
    } catch (error) {
      await directory.release();
      const { message } = RuntimeError.from(error);
      const text = `the files of the load call cannot be written: ${message}`;
      throw new RuntimeError('INTERNAL', text, { cause: error });
    }
    return directory;
  }

  hold(): void {
    if (this.#holders === 0) throw bug(`${this.path} was held after it had been removed`);
    this.#holders++;
  }

  /** The last to let go of it removes it. */
  async release(): Promise<void> {
    this.#holders--;
    if (this.#holders === 0) await rm(this.path, { recursive: true, force: true });
  }
}

// ---- details below; callers need not read ----

function checkPath(path: string): void {
  const parts = path.split('/');
  const staysInside = parts.every((part) => part !== '' && part !== '.' && part !== '..');
  if (staysInside && !path.includes('\0')) return;
  const text = `load parameter 'file:${path}' must name a file inside the directory of the model, such as 'file:1/model.onnx'`;
  throw new RuntimeError('INVALID_ARGUMENT', text);
}
