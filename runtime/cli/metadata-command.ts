// `inferd metadata`: what a model takes and gives, and what is said about it.

import type { Command } from 'commander';
import type { InferdClient, ModelMetadata, TensorMetadata } from 'inferd-client';
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
import { table } from './table.js';

/** `connect` is for tests. */
export function metadataCommand(
  io: SubcommandIo,
  connect: Connect<Pick<InferdClient, 'modelMetadata'>> = connectTo,
): Command {
  const command = newCommand('metadata')
    .argument('<MODEL>', 'A model.')
    .argument('[VERSION]', 'A version of it. [the latest]')
    .usage('MODEL [VERSION] [--json] [--url HOST:PORT]')
    .summary('Show the inputs, outputs and properties of a model.')
    .description(DESCRIPTION)
    .action((model: string, version: string | undefined, options: ServerCommandOptions) =>
      using(connect(options.url), async (client) => {
        const metadata = await client.modelMetadata(
          model,
          version === undefined ? {} : { version },
        );
        io.write(options.json ? json(ordered(metadata)) : metadataText(metadata));
      }),
    );
  return withServerOptions(command, io);
}

// ---- details below; callers need not read ----

const DESCRIPTION = `Shows what requests for a model have to bring and what they get. A size of -1 is any size; in a model with batches the first
is that of the batch. Properties are what its model.json says.

  inferd metadata digits
  inferd metadata spam_light 2 --json | jq -r '.inputs[].name'

JSON: { "name", "versions", "platform", "inputs": [ { "name", "datatype", "shape" } ], "outputs", "properties" }.`;

const COLUMNS = [{ title: '' }, { title: 'Name' }, { title: 'Type' }, { title: 'Shape' }];
const PROPERTY_COLUMNS = [{ title: 'Property' }, { title: 'Value' }];

/** The keys as the description has them. */
function ordered({ name, versions, platform, ...more }: ModelMetadata): object {
  const tensor = ({ name, datatype, shape }: TensorMetadata): object => ({ name, datatype, shape });
  const [inputs, outputs] = [more.inputs.map(tensor), more.outputs.map(tensor)];
  return { name, versions, platform, inputs, outputs, properties: more.properties };
}

function metadataText(metadata: ModelMetadata): string {
  const { name, versions, platform, inputs, outputs, properties } = metadata;
  const head = `${name}, version${versions.length === 1 ? '' : 's'} ${versions.join(', ')}, ${platform}\n`;
  const tensors = [...inputs.map(row('input')), ...outputs.map(row('output'))];
  const about = Object.entries(properties);
  return (
    head + table(COLUMNS, tensors) + (about.length === 0 ? '' : table(PROPERTY_COLUMNS, about))
  );
}

function row(side: string): (tensor: TensorMetadata) => string[] {
  return ({ name, datatype, shape }) => [side, name, datatype, `[${shape.join(', ')}]`];
}
