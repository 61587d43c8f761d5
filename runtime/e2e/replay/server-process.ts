// One server process on a private copy of a model repository.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from './free-ports.js';
import { GoldenClient } from './golden-client.js';
import { RepositoryCopy } from './repository-copy.js';
import type { Scenario, Startup } from './scenario.js';

export interface Ports {
  readonly grpc: number;
  readonly http: number;
  readonly metrics: number;
}

const MAIN = fileURLToPath(new URL('../../../dist/runtime/main.js', import.meta.url));
const POLL_MS = 20;
const STOP_LIMIT_MS = 10_000;

export class ServerProcess {
  readonly ports: Ports;
  readonly repository: RepositoryCopy;
  readonly client: GoldenClient;
  /** Settles when the process has exited, with its exit code; with minus the number of the signal that ended it. */
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  #exitCode: number | undefined;

  /** @param fixtures the directory that holds the repositories */
  static async start(fixtures: string, scenario: Scenario): Promise<ServerProcess> {
    if (!existsSync(MAIN))
      throw new Error('dist/runtime/main.js is missing; run `npm run build` first');
    const [grpc, http, metrics] = (await freePorts(3)) as [number, number, number];
    return new ServerProcess(
      { grpc, http, metrics },
      new RepositoryCopy(fixtures, scenario),
      scenario,
    );
  }

  private constructor(ports: Ports, repository: RepositoryCopy, { flags = [] }: Scenario) {
    this.ports = ports;
    this.repository = repository;
    this.client = new GoldenClient(ports.grpc);
    this.#logFile = join(repository.directory, 'server.log');
    const log = openSync(this.#logFile, 'w');
    const child = spawn(process.execPath, [MAIN, ...this.#flags(), ...flags], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#child = child;
    const killAlong = (): void => void child.kill('SIGKILL');
    process.once('exit', killAlong);
    this.exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        process.off('exit', killAlong);
        this.#exitCode = code ?? -constants.signals[signal!];
        resolve(this.#exitCode);
      });
    });
  }

  /** undefined while the process runs. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Until ServerReady or ServerLive says true, or the process exits. */
  async started(wanted: 'ready' | 'live' | 'exit', limitMs: number): Promise<Startup> {
    const end = performance.now() + limitMs;
    while (performance.now() < end) {
      if (this.#exitCode !== undefined) return ['exit', this.#exitCode];
      if (wanted !== 'exit' && (await this.#isUp(wanted))) return ['up', null];
      await Promise.race([sleep(POLL_MS), this.exited]);
    }
    return ['timeout', null];
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The last lines the server wrote. */
  logTail(lines: number): string[] {
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-lines);
  }

  /** Ends the process, by force if need be, and deletes the copy. */
  async stop(): Promise<void> {
    this.client.close();
    const force = setTimeout(() => this.signal('SIGKILL'), STOP_LIMIT_MS);
    if (this.#exitCode === undefined) this.signal('SIGTERM');
    await this.exited;
    clearTimeout(force);
    this.repository.delete();
  }

  #flags(): string[] {
    const { grpc, http, metrics } = this.ports;
    const ports = [`--grpc-port=${grpc}`, `--http-port=${http}`, `--metrics-port=${metrics}`];
    return [`--model-repository=${this.repository.path}`, ...ports];
  }

  /** A gRPC channel that finds no server waits longer and longer before it tries again; so a plain connection goes first. */
  async #isUp(wanted: 'ready' | 'live'): Promise<boolean> {
    if (!(await accepts(this.ports.grpc))) return false;
    const rpc = wanted === 'ready' ? 'ServerReady' : 'ServerLive';
    const { answer } = await this.client.prepare({ rpc, deadline_ms: 2_000 })();
    const response = answer['response'] as Record<string, unknown> | undefined;
    return response?.[wanted] === true;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (accepted: boolean) => (): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', end(true));
    socket.once('error', end(false));
  });
}
