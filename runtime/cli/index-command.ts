// `inferd index`: the models of a running server, and what has become of each.

import type { Command } from 'commander';
import type { IndexedModel, InferdClient } from 'inferd-client';
import { propertiesText } from './properties-text.js';
import {
  connectTo,
  json,
  newCommand,
  using,
  withServerOptions,
  type Connect,
  type ServerCommandOptions,
} from './server-command.js';
import type { SubcommandIo } from './subcommand-io.js';
import { table, wrapped } from './table.js';

interface IndexOptions extends ServerCommandOptions {
  readonly ready?: boolean;
}

/** `connect` is for tests. */
export function indexCommand(
  io: SubcommandIo,
  connect: Connect<Pick<InferdClient, 'repositoryIndex'>> = connectTo,
): Command {
  const command = newCommand('index')
    .usage('[--ready] [--json] [--url HOST:PORT]')
    .summary('List models and their states.')
    .description(DESCRIPTION)
    .option('--ready', 'Only what is ready.')
    .action((options: IndexOptions) =>
      using(connect(options.url), async (client) => {
        const models = await client.repositoryIndex({ ready: options.ready ?? false });
        io.write(options.json ? json({ models: models.map(entry) }) : indexText(models, options));
      }),
    );
  return withServerOptions(command, io);
}

// ---- details below; callers need not read ----

const DESCRIPTION = `Lists every version of every model that the server knows: what it serves, what it could not load and why, and
what lies in its repositories and was never loaded.

  inferd index
  inferd index --ready --json | jq -r '.models[].name'

JSON: { "models": [ { "name", "version", "state", "reason", "loadFailure", "properties" } ] }. The state is READY, LOADING, UNLOADING, UNAVAILABLE
or NOT_LOADED; the version is a string, null for a model that was never loaded; loadFailure says why the last attempt to load it failed,
if it is READY all the same, or NOT_LOADED; properties are those of model.json.`;

const COLUMNS = [
  { title: 'Model' },
  { title: 'Version' },
  { title: 'State' },
  { title: 'Properties', optional: true },
  { title: 'Reason', optional: true },
];

function entry({ name, version, state, reason, ...more }: IndexedModel): object {
  const { loadFailure, properties } = more;
  return {
    name,
    version: version || null,
    state: state || 'NOT_LOADED',
    reason,
    loadFailure,
    properties,
  };
}

/** What keeps it from being as it should be. */
function reasonText({ state, reason, loadFailure }: IndexedModel): string {
  if (loadFailure === '') return reason;
  return state === 'READY'
    ? `serves as before; loading it anew failed: ${loadFailure}`
    : loadFailure;
}

function indexText(models: readonly IndexedModel[], { ready }: IndexOptions): string {
  if (models.length === 0)
    return ready ? 'No model is ready.\n' : 'There is no model in the repositories.\n';
  const rows = models.map((model) => [
    model.name,
    model.version,
    model.state || 'not loaded',
    propertiesText(model.properties),
    wrapped([reasonText(model)], 60),
  ]);
  return table(COLUMNS, rows);
}
