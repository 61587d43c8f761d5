// argv and environment -> flag values, with commander. A flag is `--name value` or `--name=value`; a flag given by the
// environment (INFERD_NAME) gives way to the command line.

import { Command, CommanderError, Option } from 'commander';
import type { Flag } from '../config/flag.js';
import { checkedValues } from '../config/flag-values.js';
import { FLAG_GROUPS, FLAGS } from '../config/flags.js';
import { InvalidOption } from '../config/invalid-option.js';
import type { FlagValues } from '../config/server-options.js';

export interface CommandLine {
  readonly values: FlagValues;
  /** Sentences on flags that are set and have no effect. */
  readonly warnings: readonly string[];
}

/** What the caller of the process asked to see instead of starting. */
export class Shown extends Error {}

export interface CommandLineOutput {
  readonly version: string;
  write(text: string): void;
}

/** @throws InvalidOption (one line) for what is wrong, Shown after --help or --version */
export function parseCommandLine(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  output: CommandLineOutput,
): CommandLine {
  const given = new Map<string, string[]>();
  const command = createCommand(given, output);
  try {
    command.parse([...argv], { from: 'user' });
  } catch (error) {
    throw translated(error);
  }
  for (const flag of FLAGS) {
    const value = environment[environmentName(flag)];
    if (value !== undefined && value !== '' && !given.has(flag.name))
      given.set(flag.name, flag.repeatable ? value.split(',') : [value]);
  }
  const warnings = FLAGS.filter(({ name, ineffective }) => ineffective && given.has(name)).map(
    ({ name, ineffective }) => `--${name} has no effect: ${ineffective!}`,
  );
  const values = new Map(
    FLAGS.map((flag) => [flag.name, checkedValues(flag, given.get(flag.name))]),
  );
  return { values, warnings };
}

// ---- details below; callers need not read ----

export function environmentName({ name }: Flag): string {
  return `INFERD_${name.replaceAll('-', '_').toUpperCase()}`;
}

const INTRODUCTION = `Serves the ONNX models of a repository over gRPC with the protocol of Triton Inference Server.

  inferd --model-repository=model_repository
      load every model in the directory and serve it on port 8001
  inferd --model-repository=DIR --model-control-mode=explicit --load-model=NAME
      load one model; others by the RepositoryModelLoad call
  inferd help
      the tools for a running server, such as \`inferd types\`

A repository holds a directory per model, and in it a directory per version:
  DIR/NAME/1/model.onnx     version 1 of the model
  DIR/NAME/config.pbtxt     only if the defaults are not enough

Every flag is also an environment variable: --grpc-port is INFERD_GRPC_PORT.`;

function createCommand(given: Map<string, string[]>, output: CommandLineOutput): Command {
  const command = new Command('inferd')
    .description(INTRODUCTION)
    .version(output.version, '--version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help.')
    .exitOverride()
    .allowExcessArguments(false)
    .configureHelp({ optionDescription: ({ description }) => description })
    .configureOutput({ writeOut: (text) => output.write(text), writeErr: () => undefined });
  for (const { title, flags } of FLAG_GROUPS) {
    for (const flag of flags) {
      const value = flag.kind === 'boolean' ? '[BOOL]' : `<${flag.value}>`;
      const option = new Option(`--${flag.name} ${value}`, describe(flag)).helpGroup(`${title}:`);
      command.addOption(
        option.preset('true').argParser((text: string) => record(given, flag, text)),
      );
    }
  }
  return command;
}

function describe(flag: Flag): string {
  return flag.default === undefined || flag.ineffective
    ? flag.help
    : `${flag.help} [${flag.default}]`;
}

function record(given: Map<string, string[]>, flag: Flag, text: string): string {
  given.set(flag.name, flag.repeatable ? [...(given.get(flag.name) ?? []), text] : [text]);
  return text;
}

function translated(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (error.exitCode === 0) return new Shown();
  const text =
    error.code === 'commander.excessArguments'
      ? 'there is an argument that belongs to no flag; write --name=value or --name value'
      : error.message
          .replace(/^error: /, '')
          .replace(/unknown option '(--?[^'=]+).*'/, "unknown flag '$1'")
          .replace(/option '(--[a-z-]+) .*' argument missing/, '$1 needs a value')
          .replace(/\s*\n\s*\(?Did you mean ([^)?]*)\??\)?/, '; did you mean $1?');
  return new InvalidOption(`${text}${text.endsWith('?') ? '' : '.'} See inferd --help`);
}
