// `inferd types`: typed wrappers of the models of a running server, for `inferd-client`.

import type { Command } from 'commander';
import { InferdError, type ModelConfig, type ModelMetadata } from 'inferd-client';
import { modelTypes, type DescribedModel } from './model-types.js';
import { connectTo, newCommand, using, withUrl, type Connect } from './server-command.js';
import type { SubcommandIo } from './subcommand-io.js';

interface TypesOptions {
  readonly url: string;
  readonly out?: string;
}

/** The part of a client that is needed here. */
export interface ModelSource {
  modelMetadata(model: string): Promise<ModelMetadata>;
  modelConfig(model: string): Promise<ModelConfig>;
  repositoryIndex(options: { ready: boolean }): Promise<readonly { readonly name: string }[]>;
  close(): void;
}

/** `connect` is for tests. */
export function typesCommand(io: SubcommandIo, connect: Connect<ModelSource> = connectTo): Command {
  const command = newCommand('types')
    .argument('[MODEL...]', 'Models by name. [all that are ready]')
    .usage('[MODEL...] [--url HOST:PORT] [--out FILE]')
    .summary('Write TypeScript types of models.')
    .description(DESCRIPTION)
    .option('--out <FILE>', 'Write there. [standard output]')
    .action((models: string[], options: TypesOptions) =>
      using(connect(options.url), (source) => writeTypes(models, { source, io, options })),
    );
  return withUrl(command, io);
}

const DESCRIPTION = `Writes a TypeScript file with a typed function for each model, to be used with inferd-client.

  inferd types digits spam_light --out models.ts

and in your program:

  import { InferdClient } from 'inferd-client';
  import { digits } from './models.js';

  const client = new InferdClient({ addresses: 'localhost:8001' });
  const { outputs } = await digits(client, { pixels: new Float32Array(64) });

The same models give the same file, byte by byte, so it can be kept under version control and compared.`;

interface Writing {
  readonly source: ModelSource;
  readonly io: SubcommandIo;
  readonly options: TypesOptions;
}

async function writeTypes(
  given: readonly string[],
  { source, io, options }: Writing,
): Promise<void> {
  const names = given.length > 0 ? given : await readyModels(source, options);
  const models = await Promise.all([...new Set(names)].map((name) => describe(source, name)));
  const text = modelTypes(models);
  if (options.out === undefined) {
    io.write(text);
    return;
  }
  try {
    await io.writeFile(options.out, text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InferdError('INVALID_ARGUMENT', `--out: ${reason}`, { cause });
  }
  io.writeError(
    `wrote ${options.out}: ${models.map(({ metadata }) => metadata.name).join(', ')}\n`,
  );
}

async function readyModels(source: ModelSource, { url }: TypesOptions): Promise<string[]> {
  const index = await source.repositoryIndex({ ready: true });
  if (index.length === 0) throw new InferdError('NOT_FOUND', 'no model is ready', { address: url });
  return index.map(({ name }) => name);
}

async function describe(source: ModelSource, name: string): Promise<DescribedModel> {
  const [metadata, config] = await Promise.all([
    source.modelMetadata(name),
    source.modelConfig(name),
  ]);
  const optional = config.input.filter((input) => input.optional);
  return { metadata, optionalInputs: optional.map((input) => input.name) };
}
