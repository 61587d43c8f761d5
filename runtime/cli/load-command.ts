// `inferd load`: has a running server load models, and tells what serves then.

import type { Command } from 'commander';
import type { InferdClient } from 'inferd-client';
import { durationText } from './duration-text.js';
import { loadOverride } from './load-override.js';
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
import { oneLine } from './told-error.js';

export type LoadSource = Pick<InferdClient, 'loadModel' | 'repositoryIndex'>;

interface LoadCommandOptions extends ServerCommandOptions {
  readonly config?: string;
  readonly file: readonly string[];
}

/** `connect` is for tests. */
export function loadCommand(io: SubcommandIo, connect: Connect<LoadSource> = connectTo): Command {
  const command = newCommand('load')
    .argument('<MODEL...>', 'Models by name.')
    .usage('MODEL... [--config FILE] [--file PATH_IN_MODEL=FILE]... [--json] [--url HOST:PORT]')
    .summary('Load models, or load them again.')
    .description(DESCRIPTION)
    .option('--config <FILE>', 'A configuration in place of config.pbtxt: text format or JSON.')
    .option(
      '--file <PATH_IN_MODEL=FILE>',
      'A file of the model, such as 1/model.onnx=new.onnx; may be repeated. Needs --config.',
      (value: string, before: readonly string[]) => [...before, value],
      [],
    )
    .action((models: string[], options: LoadCommandOptions) =>
      using(connect(options.url), (client) => loadModels(models, { client, io, options })),
    );
  return withServerOptions(command, io);
}

// ---- details below; callers need not read ----

const DESCRIPTION = `Loads models into a server that runs with --model-control-mode=explicit, side by side; a model that serves already is
loaded again if its files have changed, and serves meanwhile. All are tried; the exit code is 1 if one could not be loaded.

  inferd load digits spam_light
  inferd load digits --config tuned.pbtxt
  inferd load trial --config trial.pbtxt --file 1/model.onnx=build/trial.onnx

What --config and --file bring lasts until the model is loaded again.

JSON: { "models": [ { "name", "ok", "ms", "versions": [ "1" ], "error": { "code", "message" } } ] }; versions are those that are
ready afterwards, error is there only if ok is false.`;

interface Loading {
  readonly client: LoadSource;
  readonly io: SubcommandIo;
  readonly options: LoadCommandOptions;
}

interface Loaded extends Outcome {
  /** Ready afterwards. */
  readonly versions: readonly string[];
  /** What the index knows beyond the answer to the call; '' for nothing. */
  readonly why: string;
}

async function loadModels(
  names: readonly string[],
  { client, io, options }: Loading,
): Promise<void> {
  const override = await loadOverride(names, options, io);
  const pending = new Set(names);
  const waiting = {
    what: () => `loading ${[...pending].join(', ')}`,
    silent: options.json ?? false,
  };
  const outcomes = await withProgress(io, waiting, () =>
    tryAll(names, io.clock, (name) =>
      client.loadModel(name, override).finally(() => pending.delete(name)),
    ),
  );
  const index = await client.repositoryIndex();
  const loaded = outcomes.map((outcome) => {
    const entries = index.filter(({ name }) => name === outcome.name);
    const ready = entries.filter(({ state }) => state === 'READY');
    const why = entries.find(({ loadFailure }) => loadFailure !== '')?.loadFailure ?? '';
    return { ...outcome, versions: ready.map(({ version }) => version), why };
  });
  tell(loaded, io, options);
  if (loaded.some(({ error }) => error)) throw new SubcommandFailed();
}

function tell(loaded: readonly Loaded[], io: SubcommandIo, options: LoadCommandOptions): void {
  if (options.json) {
    const models = loaded.map(({ name, ms, versions, error }) => ({
      name,
      ok: !error,
      ms: Math.round(ms),
      versions,
      ...(error && { error: failureOf(error) }),
    }));
    io.write(json({ models }));
    return;
  }
  for (const { name, ms, versions, error, why } of loaded) {
    if (error) {
      io.writeError(failureText({ name, error }));
      if (!error.details.includes(why)) io.writeError(`  ${oneLine(why)}\n`);
      if (versions.length > 0) io.writeError(`  still ready: ${versionsText(versions)}\n`);
    } else {
      const what = versions.length === 0 ? 'nothing' : versionsText(versions);
      io.write(`${name}: ${what} ready after ${durationText(ms)}\n`);
    }
  }
}

function versionsText(versions: readonly string[]): string {
  return `version${versions.length === 1 ? '' : 's'} ${versions.join(', ')}`;
}
