// What all subcommands that ask a running server have in common: --url, --json, and a connection that is closed in the end.

import { Command } from 'commander';
import { InferdClient } from 'inferd-client';
import type { SubcommandIo } from './subcommand-io.js';

export interface ServerCommandOptions {
  readonly url: string;
  readonly json?: boolean;
}

/** For tests: the part of a client that a command needs, instead of a client. */
export type Connect<Source> = (url: string) => Source & { close(): void };

/** For every answer but those to calls that load models. */
export const DEADLINE_MS = 10_000;

export const DEFAULT_URL = 'localhost:8001';

/** Without arguments and options of its own; `withServerOptions` adds those that all have. */
export function newCommand(name: string): Command {
  return new Command(name).configureHelp({
    optionDescription: ({ description }) => description,
    commandDescription: (command) => flowing(command.description()),
  });
}

export function withServerOptions(command: Command, io: SubcommandIo): Command {
  return withUrl(command.option('--json', 'Print JSON, for programs.'), io);
}

export function withUrl(command: Command, { environment }: SubcommandIo): Command {
  return command.option(
    '--url <HOST:PORT>',
    `Where the server listens for gRPC. [INFERD_URL, or ${DEFAULT_URL}]`,
    environment['INFERD_URL'] || DEFAULT_URL,
  );
}

export async function using<Source extends { close(): void }>(
  source: Source,
  use: (source: Source) => Promise<void>,
): Promise<void> {
  try {
    await use(source);
  } finally {
    source.close();
  }
}

export function connectTo(url: string): InferdClient {
  return new InferdClient({ addresses: [url], deadlineMs: DEADLINE_MS, retries: 0 });
}

export function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

// ---- details below; callers need not read ----

/** Lines of a paragraph as one, so that they are broken where the terminal ends; what is indented stays as it is. */
function flowing(text: string): string {
  return text.replace(/(?<=^\S.*)\n(?=\S)/gm, ' ');
}
