// `inferd pipelines`: how the models of a running server are put together, and how the parts fare.

import { Option, type Command } from 'commander';
import type { InferdClient, ModelPipeline, PipelineNode } from 'inferd-client';
import { pipelineDot, pipelineMermaid, pipelineTree } from './pipeline-text.js';
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

export type PipelinesSource = Pick<InferdClient, 'pipelines'>;

const FORMATS = { tree: pipelineTree, mermaid: pipelineMermaid, dot: pipelineDot } as const;

interface PipelinesOptions extends ServerCommandOptions {
  readonly format: keyof typeof FORMATS;
}

/** `connect` is for tests. */
export function pipelinesCommand(
  io: SubcommandIo,
  connect: Connect<PipelinesSource> = connectTo,
): Command {
  const command = newCommand('pipelines')
    .argument('[MODEL]', 'A model. [all that ask others or have a policy around them]')
    .argument('[VERSION]', 'A version of it. [all]')
    .usage('[MODEL [VERSION]] [--format tree|mermaid|dot] [--json] [--url HOST:PORT]')
    .summary('Draw how models are put together, with live figures.')
    .description(DESCRIPTION)
    .addOption(
      new Option('--format <FORMAT>', 'tree, mermaid or dot. [tree]')
        .choices(Object.keys(FORMATS))
        .default('tree'),
    )
    .action((model = '', version: string | undefined, options: PipelinesOptions) =>
      using(connect(options.url), async (client) => {
        const wanted = version === undefined ? {} : { version };
        const pipelines = await client.pipelines(String(model), wanted);
        io.write(
          options.json ? json({ pipelines: pipelines.map(inOrder) }) : shown(pipelines, options),
        );
      }),
    );
  return withServerOptions(command, io);
}

// ---- details below; callers need not read ----

const DESCRIPTION = `Shows the steps of ensembles, the stages of cascades, and what is around a model: limits, timeouts, fallbacks, circuit breakers, retries,
hedges. Beside each part is what has become of the requests it sent on since the model was loaded; times are of the last minute.

  inferd pipelines
  inferd pipelines spam
  inferd pipelines spam --format mermaid >> pipelines.md
  inferd pipelines spam --format dot | dot -Tsvg > pipeline.svg

JSON: { "pipelines": [ { "name", "version", "root": { "kind", "name", "model", "state", "settings", "after", "figures", "counters", "children" } } ] },
times in microseconds; after names the siblings that a part waits for.`;

/** The protocol has no order of its own: what one looks for comes first. */
function inOrder({ name, version, root }: ModelPipeline): ModelPipeline {
  return { name, version, root: nodeInOrder(root) };
}

function nodeInOrder(node: PipelineNode): PipelineNode {
  const { kind, name, model, state, settings, after, figures, counters, children } = node;
  return {
    ...{ kind, name, ...(model && { model }), state, settings, after, ...(figures && { figures }) },
    counters: counters.map((counter) => ({
      name: counter.name,
      labels: counter.labels,
      value: counter.value,
    })),
    children: children.map(nodeInOrder),
  };
}

function shown(
  pipelines: readonly ModelPipeline[],
  { format }: Pick<PipelinesOptions, 'format'>,
): string {
  if (pipelines.length === 0)
    return 'No model that is ready asks others or has a policy around it.\n';
  return pipelines.map(FORMATS[format]).join('\n');
}
