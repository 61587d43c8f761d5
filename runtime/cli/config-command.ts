// `inferd config`: the configuration that a model is served with, and where each of its values comes from.

import { Option, type Command } from 'commander';
import type { ConfigOrigin, InferdClient } from 'inferd-client';
import { configValues, unsentValue } from '../config/config-values.js';
import type { ModelConfigMessage } from '../config/model-config-message.js';
import { modelConfigType } from '../config/model-config-schema.js';
import { receivedConfig } from '../config/received-config.js';
import { writeText } from '../config/text-writer.js';
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

export type ConfigSource = Pick<InferdClient, 'explainModelConfig'>;

interface ConfigOptions extends ServerCommandOptions {
  readonly explain?: boolean;
  readonly format: 'pbtxt' | 'json';
}

/** `connect` is for tests. */
export function configCommand(
  io: SubcommandIo,
  connect: Connect<ConfigSource> = connectTo,
): Command {
  const command = newCommand('config')
    .argument('<MODEL>', 'A model.')
    .argument('[VERSION]', 'A version of it. [the latest]')
    .usage('MODEL [VERSION] [--explain] [--format pbtxt|json] [--url HOST:PORT]')
    .summary('Show the completed configuration of a model, and why it is so.')
    .description(DESCRIPTION)
    .option('--explain', 'A line for each value, with where it comes from.')
    .addOption(
      new Option('--format <pbtxt|json>', 'Text format or JSON. [pbtxt]')
        .choices(['pbtxt', 'json'])
        .default('pbtxt'),
    )
    .action((model: string, version: string | undefined, options: ConfigOptions) =>
      using(connect(options.url), async (client) => {
        const { config, origins } = await client.explainModelConfig(
          model,
          version === undefined ? {} : { version },
        );
        io.write(configText(receivedConfig(config), origins, options));
      }),
    );
  return withServerOptions(command, io);
}

// ---- details below; callers need not read ----

const DESCRIPTION = `Shows what became of a model's config.pbtxt: what it leaves out is completed from the model and from defaults.

  inferd config digits > config.pbtxt
  inferd config digits --explain | grep default
  inferd config digits --json | jq .instance_group

--explain says of each value whether it was written (config.pbtxt, or the configuration of a load call), read from the model, or is a
default. JSON has the names of config.pbtxt, as the load call takes it; with --explain it is { "config", "origins": { PATH: "file" |
"load call" | "model" | "default" } }. --json is --format json.`;

const ORIGIN: Readonly<Record<ConfigOrigin, string>> = {
  file: 'config.pbtxt',
  'load call': 'load call',
  model: 'the model',
  default: 'default',
};

function configText(
  config: ModelConfigMessage,
  origins: Readonly<Record<string, ConfigOrigin>>,
  options: ConfigOptions,
): string {
  if (options.json || options.format === 'json')
    return json(options.explain ? { config, origins } : config);
  return options.explain ? explained(config, origins) : writeText(modelConfigType(), config);
}

/** Aligned, but for the sake of a long value not everything goes far to the right. */
const FARTHEST = 60;

function explained(
  config: ModelConfigMessage,
  origins: Readonly<Record<string, ConfigOrigin>>,
): string {
  const values = configValues(config);
  const paths = new Set([...Object.keys(origins), ...values.keys()]);
  const lines = [...paths].map((path): [value: string, origin: string] => {
    const origin = origins[path];
    const value = `${path} = ${values.get(path) ?? unsentValue(path)}`;
    return [value, origin === undefined ? 'unknown: the server does not say' : ORIGIN[origin]];
  });
  const width = Math.min(Math.max(...lines.map(([value]) => value.length)), FARTHEST);
  return lines.map(([value, origin]) => `${value.padEnd(width)}  # ${origin}\n`).join('');
}
