// What a Dockerfile puts into an image, made without Docker: its COPY and RUN steps, each stage in a directory. Left out is what is
// not of this repository: the bases, the steps that install packages of the system, and what is copied from outside the work directory.

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import {
  commandOf,
  contextFiles,
  environmentOf,
  lastOf,
  type Stage,
  type Step,
} from './dockerfile.js';

const run = promisify(execFile);

export class ImageTree {
  readonly #root = mkdtempSync(join(tmpdir(), 'inferd-image-'));
  readonly #stages: readonly Stage[];
  readonly #context: string;

  /** Takes as long as an installation of all packages. @throws with the output of the step that fails */
  static async build(stages: readonly Stage[], context: string): Promise<ImageTree> {
    const tree = new ImageTree(stages, context);
    try {
      for (const stage of stages) await tree.#make(stage);
    } catch (error) {
      await tree.remove();
      throw error;
    }
    // Whoever the server runs as finds all of it and can write none of it.
    await run('chmod', ['-R', 'a-w,a+rX', tree.#root]);
    return tree;
  }

  private constructor(stages: readonly Stage[], context: string) {
    this.#stages = stages;
    this.#context = context;
  }

  /** Where a path of the image is. */
  path(path: string): string {
    return this.#place('', path);
  }

  /** The image's entry point, user and environment, as far as this machine has them. */
  start(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    const entry = commandOf(lastOf(this.#image, 'ENTRYPOINT'));
    return this.#spawn([...entry.slice(entry.indexOf('--') + 1), ...args], env);
  }

  /** Resolves with the exit code of the image's own check. */
  checkHealth(env: Readonly<Record<string, string>>): Promise<number | null> {
    const child = this.#spawn(commandOf(lastOf(this.#image, 'HEALTHCHECK')), env);
    return new Promise((done) => child.once('close', done));
  }

  async remove(): Promise<void> {
    await run('chmod', ['-R', 'u+w', this.#root]);
    await run('rm', ['-rf', this.#root]);
  }

  get #image(): Stage {
    return this.#stages.at(-1)!;
  }

  #place(stage: string, path: string): string {
    return join(this.#root, stage || 'image', path);
  }

  #spawn(command: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    const args = command.slice(1).map((arg) => arg.replace(/(?<=^|=)\/app\//, this.path('/app/')));
    const [uid, gid] = lastOf(this.#image, 'USER').split(':').map(Number);
    return spawn(process.execPath, args, {
      cwd: this.path(lastOf(this.#image, 'WORKDIR')),
      env: { PATH: process.env['PATH'], ...environmentOf(this.#image), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(process.getuid?.() === 0 && { uid, gid }),
    });
  }

  async #make(stage: Stage): Promise<void> {
    let directory = '/';
    for (const step of stage.steps) {
      if (step.keyword === 'WORKDIR') directory = step.text;
      const here = this.#place(stage.name, directory);
      mkdirSync(here, { recursive: true });
      if (step.keyword === 'COPY') this.#copy(step, here);
      if (step.keyword === 'RUN' && !step.text.includes('apt-get'))
        await run('sh', ['-c', step.text], { cwd: here, env: npmEnvironment() });
    }
  }

  #copy(step: Step, here: string): void {
    const paths = step.text.split(/\s+/);
    const target = resolve(here, paths.at(-1)!);
    const isDirectory = /(^|[./])$/.test(paths.at(-1)!) || paths.length > 2;
    const { from } = step.flags;
    for (const path of paths.slice(0, -1)) {
      if (from === undefined) this.#copyFromContext(path, target, isDirectory);
      else if (path.startsWith('/app/')) copy(this.#place(from, path), target, isDirectory);
    }
  }

  #copyFromContext(path: string, target: string, isDirectory: boolean): void {
    const files = contextFiles(this.#context);
    const wanted = files.filter(
      (file) => path === '.' || file === path || file.startsWith(`${path}/`),
    );
    if (wanted.length === 0) throw new Error(`COPY ${path}: there is no such file in the context`);
    for (const file of wanted) {
      const below = path === '.' ? file : file.slice(path.length + 1);
      const name = below === '' && isDirectory ? basename(file) : below;
      copy(join(this.#context, file), join(target, name), false);
    }
  }
}

// ---- details below; callers need not read ----

/** As COPY does: of a directory its contents, links as they are. */
function copy(source: string, target: string, isIntoDirectory: boolean): void {
  if (!existsSync(source)) throw new Error(`COPY ${source}: it is not there`);
  const isInto = isIntoDirectory && !statSync(source).isDirectory();
  const place = isInto ? join(target, basename(source)) : target;
  mkdirSync(dirname(place), { recursive: true });
  cpSync(source, place, { recursive: true, verbatimSymlinks: true });
}

/** Without what the npm that runs the tests says of itself, and with its cache before the network. */
function npmEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([key]) => !/^npm_(package|lifecycle|config_(local_)?prefix)|^NODE_ENV$/.test(key),
  );
  return { ...Object.fromEntries(kept), npm_config_prefer_offline: 'true' };
}
