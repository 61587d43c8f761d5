// A private copy of a model repository, for one server to serve and for the steps of a scenario to change.
// Beside it, in the same directory, is room for what must not be seen by the server: staging and removed models.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Scenario } from './scenario.js';

/** `path` and `to` are below the repository, `from` is below the fixtures. */
export type FileAction =
  | { readonly action: 'copy'; readonly path: string; readonly from: string }
  | {
      readonly action: 'write';
      readonly path: string;
      readonly text?: string;
      readonly base64?: string;
    }
  | { readonly action: 'move'; readonly path: string; readonly to: string }
  | { readonly action: 'remove' | 'touch' | 'mkdir'; readonly path: string };

export class RepositoryCopy {
  readonly directory: string;
  readonly path: string;
  readonly fixtures: string;
  #removed = 0;

  /** @param fixtures the directory that holds the repositories */
  constructor(fixtures: string, { repository, models }: Scenario) {
    this.fixtures = fixtures;
    this.directory = realpathSync(mkdtempSync(join(tmpdir(), 'inferd-golden-')));
    this.path = join(this.directory, 'repo');
    mkdirSync(this.path);
    if (repository === undefined) return;
    const source = join(fixtures, repository);
    for (const name of models ?? readdirSync(source))
      cpSync(join(source, name), join(this.path, name), {
        recursive: true,
        preserveTimestamps: true,
      });
  }

  apply(action: FileAction): void {
    const path = join(this.path, action.path);
    switch (action.action) {
      case 'copy':
        this.#copy(join(this.fixtures, action.from), path);
        break;
      case 'write':
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, action.text ?? Buffer.from(action.base64 ?? '', 'base64'));
        break;
      case 'move':
        renameSync(path, join(this.path, action.to));
        break;
      case 'remove':
        // Out of sight at once, not file by file.
        renameSync(path, join(this.directory, `removed${this.#removed++}`));
        break;
      case 'touch':
        utimesSync(path, new Date(), new Date());
        break;
      case 'mkdir':
        mkdirSync(path, { recursive: true });
    }
  }

  delete(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** In sight at once too, with new modification times; into a directory that exists, file by file. */
  #copy(source: string, path: string): void {
    const staging = join(this.directory, 'staging');
    cpSync(source, staging, { recursive: true });
    mkdirSync(dirname(path), { recursive: true });
    if (existsSync(path) && statSync(path).isDirectory())
      cpSync(staging, path, { recursive: true });
    else renameSync(staging, path);
    rmSync(staging, { recursive: true, force: true });
  }
}
