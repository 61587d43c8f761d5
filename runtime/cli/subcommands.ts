// `inferd WORD …`: tools that talk to a running server. Without a word, inferd is the server (`command-line.ts`). A further
// subcommand is a file like `types-command.ts` and a line here.

import { Command, CommanderError } from 'commander';
import { InferdError } from 'inferd-client';
import type { SubcommandIo } from './subcommand-io.js';
import { typesCommand } from './types-command.js';

/** Returns the exit code of the process. What goes wrong is told in one line. */
export async function runSubcommand(argv: readonly string[], io: SubcommandIo): Promise<number> {
  try {
    await createProgram(io).parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (!(error instanceof CommanderError) && !(error instanceof InferdError)) throw error;
    io.writeError(`inferd: ${oneLine(error.message)}\n`);
    return 1;
  }
}

function createProgram(io: SubcommandIo): Command {
  const program = new Command('inferd')
    .description(
      'Tools for a running inferd. Without a command, inferd is the server: inferd --help',
    )
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` });
  for (const command of [typesCommand(io)]) program.addCommand(command);
  for (const command of [program, ...program.commands])
    command
      .helpOption('--help', 'Print this help.')
      .exitOverride()
      .configureOutput({ writeOut: (text) => io.write(text), writeErr: () => undefined });
  return program;
}

function oneLine(message: string): string {
  const text = message.replace(/^error: /, '').replace(/\s*\n\s*\(?(.*?)\)?$/, '. $1');
  return /^unknown command/.test(text)
    ? `${text}${text.endsWith('?') ? '' : '.'} See inferd help; the flags of the server begin with --`
    : text;
}
