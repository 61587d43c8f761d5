// The built server as a process of its own on ports of its own, as a user starts it. Its log, which is JSON here, tells the ports.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface TestServerOptions {
  readonly repository: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const MAIN = fileURLToPath(new URL('../../../dist/runtime/main.js', import.meta.url));
const PORT = { GRPCInferenceService: 'grpc', HTTPService: 'http', 'Metrics Service': 'metrics' };

export class TestServer {
  readonly ports: Partial<Record<'grpc' | 'http' | 'metrics', number>> = {};
  readonly log: LogLine[] = [];
  /** What came on stderr and stdout and was no JSON. */
  readonly output: string[] = [];
  readonly exited: Promise<number | NodeJS.Signals>;
  readonly #child: ChildProcess;
  #isUp = false;
  #onLine: () => void = () => undefined;

  /** Resolves when the server says that it is up, or when it has ended. */
  static async start(options: TestServerOptions): Promise<TestServer> {
    const server = new TestServer(options);
    await Promise.race([server.logged(/ is up with /), server.exited]);
    return server;
  }

  private constructor({ repository, flags = [], env = {} }: TestServerOptions) {
    if (!existsSync(MAIN)) throw new Error('dist/ is missing; run `npm run build` first');
    const ports = ['--grpc-port=0', '--http-port=0', '--metrics-port=0'];
    this.#child = spawn(
      process.execPath,
      [MAIN, `--model-repository=${repository}`, ...ports, ...flags],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
    );
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      createInterface({ input: stream }).on('line', (line) => this.#read(line));
    const killAlong = (): void => void this.#child.kill('SIGKILL');
    process.once('exit', killAlong);
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        process.off('exit', killAlong);
        this.#isUp = false;
        resolve(code ?? signal!);
      });
    });
  }

  /** Up, and not ended since. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Everything it wrote, as text. */
  get told(): string {
    return [...this.output, ...this.log.map(({ msg }) => msg)].join('\n');
  }

  get pid(): number {
    return this.#child.pid!;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends the server as Ctrl-C does. */
  async stop(): Promise<number | NodeJS.Signals> {
    this.signal('SIGINT');
    return this.exited;
  }

  /** Resolves with the first line, written or still to come, whose text matches. */
  logged(text: RegExp): Promise<LogLine> {
    return this.loggedLine(({ msg }) => text.test(msg));
  }

  /** As logged, for lines that more than their text tells apart. */
  async loggedLine(isWanted: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const found = this.log.find(isWanted);
      if (found) return found;
      await new Promise<void>((resolve) => (this.#onLine = resolve));
    }
  }

  #read(line: string): void {
    if (!line.startsWith('{')) {
      this.output.push(line);
      return;
    }
    const entry = JSON.parse(line) as LogLine;
    this.log.push(entry);
    const [, service, port] = /^Started (.+) at .*:(\d+)$/.exec(entry.msg) ?? [];
    if (service !== undefined)
      this.ports[PORT[service as keyof typeof PORT] as 'grpc'] = Number(port);
    if (/ is up with /.test(entry.msg)) this.#isUp = true;
    this.#onLine();
  }
}
