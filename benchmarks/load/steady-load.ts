// A load that goes on beside whatever the benchmark does, in a process of its own (steady-loader.ts).

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoopTask } from './closed-loop.js';
import type { RequestLog } from './request-log.js';

const LOADER = fileURLToPath(new URL('./steady-loader.js', import.meta.url));

export interface ExpectedAnswer {
  readonly version: number;
  readonly values: readonly number[];
}

export interface SteadyTask extends LoopTask {
  /** Every answer that may come, at some time or other. */
  readonly expected: readonly ExpectedAnswer[];
}

export class SteadyLoad {
  readonly #child: ChildProcess;
  readonly #log: Promise<RequestLog>;

  static async start(task: SteadyTask): Promise<SteadyLoad> {
    const child = fork(LOADER, { serialization: 'advanced' });
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('close', () => process.off('exit', kill));
    child.send(task);
    await once(child, 'message');
    return new SteadyLoad(child);
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#log = new Promise((resolve, reject) => {
      child.once('message', (log) => resolve(log as RequestLog));
      child.once('close', () => reject(new Error('the load has died')));
    });
    this.#log.catch(() => undefined);
  }

  /** Resolves when the last request has ended; at once where every connection was lost before. */
  finish(): Promise<RequestLog> {
    if (this.#child.connected) this.#child.send('stop');
    return this.#log;
  }

  stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    return Promise.resolve();
  }
}
