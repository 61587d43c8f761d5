// A server under load, in a process of its own: inferd as it is built beside this file, or the echo. It is ended with the
// benchmark, however that ends.

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const INFERD = fileURLToPath(new URL('../../runtime/main.js', import.meta.url));
const STALLING_PROXY = fileURLToPath(new URL('./stalling-proxy.js', import.meta.url));
const ECHO = fileURLToPath(new URL('./echo-server.js', import.meta.url));

/** What both say when they listen; the echo says it in inferd's words. */
const LISTENS = /Started (GRPCInferenceService|Metrics Service) at [^"]*:(\d+)/;

export interface ServerSettings {
  readonly flags?: readonly string[];
  /** Besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

export class ServedProcess {
  readonly pid: number;
  readonly grpcPort: number;
  /** 0: it has none. */
  readonly metricsPort: number;
  readonly #child: ChildProcess;

  /** Resolves when every model of the repository is ready. */
  static inferd(
    repository: string,
    { flags = [], env = {} }: ServerSettings = {},
  ): Promise<ServedProcess> {
    const ports = ['--grpc-port=0', '--http-port=0', '--metrics-port=0'];
    const args = [INFERD, `--model-repository=${repository}`, ...ports, ...flags];
    return ServedProcess.#start(args, env);
  }

  /** Whether the server takes a flag of this name. */
  static async knowsFlag(name: string): Promise<boolean> {
    const { stdout } = await promisify(execFile)(process.execPath, [INFERD, '--help']);
    return stdout.includes(`--${name}`);
  }

  /** Answers everything with so many bytes. */
  static echo(replyBytes: number): Promise<ServedProcess> {
    return ServedProcess.#start([ECHO, String(replyBytes)]);
  }

  /** Passes calls on to that port, and holds this share of the answers back for so long. */
  static stallingProxy(
    port: number,
    { share, stallMs }: { readonly share: number; readonly stallMs: number },
  ): Promise<ServedProcess> {
    return ServedProcess.#start([STALLING_PROXY, ...[port, share, stallMs].map(String)]);
  }

  private constructor(child: ChildProcess, ports: ReadonlyMap<string, number>) {
    this.#child = child;
    this.pid = child.pid!;
    this.grpcPort = ports.get('GRPCInferenceService')!;
    this.metricsPort = ports.get('Metrics Service') ?? 0;
  }

  /** Ends it as a crash would. */
  kill(): Promise<number | NodeJS.Signals> {
    return this.#end('SIGKILL');
  }

  /** Resolves when it has ended, with its exit code or the signal that has ended it. */
  stop(): Promise<number | NodeJS.Signals> {
    return this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill(signal);
      await ended;
    }
    return child.exitCode ?? child.signalCode!;
  }

  static async #start(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<ServedProcess> {
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('close', () => process.off('exit', kill));
    return new ServedProcess(child, await untilUp(child));
  }
}

/** The ports by the names of their services. @throws Error with what the process wrote when it ends instead */
function untilUp(child: ChildProcess): Promise<ReadonlyMap<string, number>> {
  const ports = new Map<string, number>();
  const told: string[] = [];
  return new Promise((resolve, reject) => {
    const read = (line: string): void => {
      if (told.length < 100) told.push(line);
      const [, service, port] = LISTENS.exec(line) ?? [];
      if (service !== undefined) ports.set(service, Number(port));
      if (line.includes(' is up with ')) resolve(ports);
    };
    for (const stream of [child.stdout!, child.stderr!])
      createInterface({ input: stream }).on('line', read);
    child.once('error', reject);
    child.once('close', () => reject(new Error(`a server has ended:\n${told.join('\n')}`)));
  });
}
