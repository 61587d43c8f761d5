// Load without h2load: our own client in a process of its own (own-loader.ts). It takes more CPU per request than h2load, so its
// figures are compared with each other only.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Loader, LoadResult, LoadTask } from './load.js';

const run = promisify(execFile);
const LOADER = fileURLToPath(new URL('./own-loader.js', import.meta.url));

export const ownLoad: Loader = {
  name: 'the loader of benchmarks/load/own-loader.ts',
  run: async (task: LoadTask): Promise<LoadResult> => {
    const { stdout } = await run(process.execPath, [LOADER, JSON.stringify(task)]);
    return JSON.parse(stdout) as LoadResult;
  },
};
