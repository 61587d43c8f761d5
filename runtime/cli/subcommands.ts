// `inferd WORD …`: tools for operators. Without a word, inferd is the server (`command-line.ts`). A further subcommand is a file
// like `types-command.ts` and a line here.

import { Command, CommanderError } from 'commander';
import { InferdError } from 'inferd-client';
import { InvalidOption } from '../config/invalid-option.js';
import { RuntimeError } from '../core/errors.js';
import { checkCommand } from './check-command.js';
import { configCommand } from './config-command.js';
import { indexCommand } from './index-command.js';
import { loadCommand } from './load-command.js';
import { metadataCommand } from './metadata-command.js';
import { pipelinesCommand } from './pipelines-command.js';
import { readyCommand } from './ready-command.js';
import type { CheckRepository } from './repository-check.js';
import { statsCommand } from './stats-command.js';
import { SubcommandFailed } from './subcommand-failed.js';
import type { SubcommandIo } from './subcommand-io.js';
import { toldError } from './told-error.js';
import { typesCommand } from './types-command.js';
import { unloadCommand } from './unload-command.js';

/** What subcommands need of the server's own parts. */
export interface SubcommandTools {
  readonly checkRepository: CheckRepository;
}

/** Returns the exit code of the process. What goes wrong is told in one line. */
export async function runSubcommand(
  argv: readonly string[],
  io: SubcommandIo,
  tools: SubcommandTools,
): Promise<number> {
  try {
    await createProgram(io, tools).parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const text = told(error, argv[0] ?? '');
    if (text !== '') io.writeError(`inferd: ${text}\n`);
    return 1;
  }
}

function createProgram(io: SubcommandIo, { checkRepository }: SubcommandTools): Command {
  const program = new Command('inferd')
    .description(
      'Tools for a running inferd, and for its model repository. Without a command, inferd is the server: inferd --help',
    )
    .usage('COMMAND …')
    .helpCommand('help [COMMAND]', 'Show this, or the help of a command.')
    .configureHelp({ subcommandTerm: (command) => command.name() });
  const commands = [
    indexCommand(io),
    readyCommand(io),
    loadCommand(io),
    unloadCommand(io),
    metadataCommand(io),
    configCommand(io),
    statsCommand(io),
    pipelinesCommand(io),
    checkCommand(io, checkRepository),
    typesCommand(io),
  ];
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...program.commands])
    command
      .helpOption('--help', 'Print this help.')
      .exitOverride()
      .configureOutput({ writeOut: (text) => io.write(text), writeErr: () => undefined });
  return program;
}

/** @throws what is no failure of a command's but a bug */
function told(error: unknown, command: string): string {
  if (error instanceof InferdError) return toldError(error);
  if (error instanceof CommanderError) return usageError(error.message, command);
  const isTold =
    error instanceof SubcommandFailed ||
    error instanceof InvalidOption ||
    error instanceof RuntimeError;
  if (!isTold) throw error;
  return error.message;
}

function usageError(message: string, command: string): string {
  const text = message.replace(/^error: /, '').replace(/\s*\n\s*\(?(.*?)\)?$/, '. $1');
  const sentence = /[.?]$/.test(text) ? text : `${text}.`;
  return /^unknown command/.test(text)
    ? `${sentence} See inferd help; the flags of the server begin with --`
    : `${sentence} See inferd ${command} --help`;
}
