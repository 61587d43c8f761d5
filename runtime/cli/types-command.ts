// `inferd types`: typed wrappers of the models of a running server, for `inferd-client`.

import { Command } from 'commander';
import { InferdClient, InferdError, type ModelConfig, type ModelMetadata } from 'inferd-client';
import { modelTypes, type DescribedModel } from './model-types.js';
import type { SubcommandIo } from './subcommand-io.js';

const DEADLINE_MS = 10_000;

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
export function typesCommand(
  io: SubcommandIo,
  connect: (url: string) => ModelSource = connectTo,
): Command {
  return new Command('types')
    .argument('[MODEL...]', 'Models by name. [all that are ready]')
    .usage('[MODEL...] [--url HOST:PORT] [--out FILE]')
    .summary('Write TypeScript types of models.')
    .description(DESCRIPTION)
    .option(
      '--url <HOST:PORT>',
      'Where the server listens for gRPC. [localhost:8001]',
      'localhost:8001',
    )
    .option('--out <FILE>', 'Write there. [standard output]')
    .configureHelp({ optionDescription: ({ description }) => description })
    .action(async (models: string[], options: TypesOptions) => {
      const source = connect(options.url);
      try {
        await writeTypes(models, { source, io, options });
      } finally {
        source.close();
      }
    });
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

function connectTo(url: string): ModelSource {
  return new InferdClient({ addresses: [url], deadlineMs: DEADLINE_MS, retries: 0 });
}
