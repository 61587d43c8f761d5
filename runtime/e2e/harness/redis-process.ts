// A Redis of the test's own, on a free port of the loopback interface, that keeps nothing on disk.

import { execFile as execFileCallback, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const BINARY = '/usr/bin/redis-server';
const CLI = '/usr/bin/redis-cli';
const execFile = promisify(execFileCallback);

/** Debian's; where it is missing, tests that need it skip: apt-get install redis-server. */
export const HAS_REDIS = existsSync(BINARY) && existsSync(CLI);

export class RedisProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('close', () => resolve()));
  }

  /** Resolves when it takes connections. */
  static async start(wanted?: number): Promise<RedisProcess> {
    const port = wanted ?? (await freePort());
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', '/tmp'];
    const child = spawn(BINARY, options, { stdio: ['ignore', 'pipe', 'inherit'] });
    const redis = new RedisProcess(port, child);
    const killAlong = (): void => void child.kill('SIGKILL');
    process.once('exit', killAlong);
    void redis.#exited.then(() => process.off('exit', killAlong));
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (/Ready to accept connections/.test(line)) resolve();
      });
      child.once('close', (code) => reject(new Error(`redis-server ended with ${code ?? ''}`)));
    });
    return redis;
  }

  /** What redis-cli answers to a command. */
  async ask(...command: readonly string[]): Promise<string> {
    const { stdout } = await execFile(CLI, ['-p', String(this.port), ...command]);
    return stdout.trim();
  }

  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#child.kill(name);
  }

  async end(): Promise<void> {
    this.signal('SIGKILL');
    await this.#exited;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
