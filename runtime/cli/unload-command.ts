// `inferd unload`: has a running server stop serving models.

import type { Command } from 'commander';
import { InferdError, type InferdClient } from 'inferd-client';
import { failureOf, failureText, tryAll, type Outcome } from './model-operations.js';
import { withProgress } from './progress.js';
import {
  connectTo,
  json,
  newCommand,
  using,
  withServerOptions,
  type Connect,
  type ServerCommandOptions,
} from './server-command.js';
import { SubcommandFailed } from './subcommand-failed.js';
import type { SubcommandIo } from './subcommand-io.js';

export type UnloadSource = Pick<InferdClient, 'unloadModel' | 'repositoryIndex'>;

interface UnloadCommandOptions extends ServerCommandOptions {
  readonly dependents?: boolean;
}

/** `connect` is for tests. */
export function unloadCommand(
  io: SubcommandIo,
  connect: Connect<UnloadSource> = connectTo,
): Command {
  const command = newCommand('unload')
    .argument('<MODEL...>', 'Models by name.')
    .usage('MODEL... [--dependents] [--json] [--url HOST:PORT]')
    .summary('Stop serving models.')
    .description(DESCRIPTION)
    .option('--dependents', 'Also the models an ensemble is made of.')
    .action((models: string[], options: UnloadCommandOptions) =>
      using(connect(options.url), (client) => unloadModels(models, { client, io, options })),
    );
  return withServerOptions(command, io);
}

// ---- details below; callers need not read ----

const DESCRIPTION = `Takes all versions of models out of a server that runs with --model-control-mode=explicit. New requests are refused from
then on; those under way still get their answers. All are tried; the exit code is 1 if one could not be unloaded.

  inferd unload digits spam_light

JSON: { "models": [ { "name", "ok", "error": { "code", "message" } } ] }; error is there only if ok is false.`;

interface Unloading {
  readonly client: UnloadSource;
  readonly io: SubcommandIo;
  readonly options: UnloadCommandOptions;
}

async function unloadModels(
  names: readonly string[],
  { client, io, options }: Unloading,
): Promise<void> {
  const unloadDependents = options.dependents ?? false;
  const known = new Set((await client.repositoryIndex()).map(({ name }) => name));
  const waiting = { what: () => `unloading ${names.join(', ')}`, silent: options.json ?? false };
  const outcomes = await withProgress(io, waiting, () =>
    tryAll(names, io.clock, async (name) => {
      // The call itself takes any name for one that is unloaded already.
      if (!known.has(name)) throw unknown();
      await client.unloadModel(name, { unloadDependents });
    }),
  );
  tell(outcomes, io, options);
  if (outcomes.some(({ error }) => error)) throw new SubcommandFailed();
}

function unknown(): InferdError {
  const text = 'the server knows no such model; inferd index lists those it knows';
  return new InferdError('NOT_FOUND', text);
}

function tell(
  outcomes: readonly Outcome[],
  io: SubcommandIo,
  { json: asJson }: UnloadCommandOptions,
): void {
  if (asJson) {
    const models = outcomes.map(({ name, error }) => ({
      name,
      ok: !error,
      ...(error && { error: failureOf(error) }),
    }));
    io.write(json({ models }));
    return;
  }
  for (const { name, error } of outcomes) {
    if (error) io.writeError(failureText({ name, error }));
    else io.write(`${name}: unloaded\n`);
  }
}
