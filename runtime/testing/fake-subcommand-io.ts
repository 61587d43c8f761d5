// A process for subcommands: what they write is kept, files are in memory, time stands still.

import type { Command } from 'commander';
import type { SubcommandIo } from '../cli/subcommand-io.js';
import { FakeClock } from './fake-clock.js';

export class FakeSubcommandIo implements SubcommandIo {
  /** Standard output and standard error. */
  shown = '';
  told = '';
  readonly files = new Map<string, string | Uint8Array>();
  readonly environment: Record<string, string | undefined> = {};
  readonly isTerminal = { output: false, errors: false };
  readonly clock = new FakeClock();
  readonly #interrupt = new AbortController();

  readonly write = (text: string): void => void (this.shown += text);
  readonly writeError = (text: string): void => void (this.told += text);

  readFile(path: string): Promise<Uint8Array> {
    const content = this.files.get(path);
    return content === undefined
      ? Promise.reject(new Error(`ENOENT: no such file or directory, open '${path}'`))
      : Promise.resolve(Buffer.from(content as string));
  }

  writeFile(path: string, text: string): Promise<void> {
    this.files.set(path, text);
    return Promise.resolve();
  }

  /** Presses Ctrl-C. */
  interrupt(): void {
    this.#interrupt.abort();
  }

  interrupted(): AbortSignal {
    return this.#interrupt.signal;
  }
}

/** Runs a command as `runSubcommand` does, but fails as the command fails. */
export async function runCommand(command: Command, ...argv: string[]): Promise<void> {
  await command
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .parseAsync(argv, { from: 'user' });
}

/** Lets everything go on that can go on without time passing. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
