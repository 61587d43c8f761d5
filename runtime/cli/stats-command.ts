// `inferd stats`: how much the models of a running server have done, or do right now.

import type { Command } from 'commander';
import type { InferdClient } from 'inferd-client';
import { InvalidOption } from '../config/invalid-option.js';
import { countsOf, countsSince, type ModelCounts } from './model-counts.js';
import {
  connectTo,
  json,
  newCommand,
  using,
  withServerOptions,
  type Connect,
  type ServerCommandOptions,
} from './server-command.js';
import { batchSizesText, countsJson, countsText, ratesJson, ratesText } from './stats-text.js';
import type { SubcommandIo } from './subcommand-io.js';

export type StatsSource = Pick<InferdClient, 'modelStatistics'>;

interface StatsOptions extends ServerCommandOptions {
  readonly watch?: string | true;
}

const WATCH_SECONDS = 2;
const CLEAR_SCREEN = '\x1b[2J\x1b[H';

/** `connect` is for tests. */
export function statsCommand(io: SubcommandIo, connect: Connect<StatsSource> = connectTo): Command {
  const command = newCommand('stats')
    .argument('[MODEL]', 'A model. [all that are ready]')
    .argument('[VERSION]', 'A version of it. [all]')
    .usage('[MODEL [VERSION]] [--watch [SECONDS]] [--json] [--url HOST:PORT]')
    .summary('Count requests and batches, or watch them.')
    .description(DESCRIPTION)
    .option(
      '--watch [SECONDS]',
      `Rates, anew every so many seconds, until Ctrl-C. [${WATCH_SECONDS}]`,
    )
    .action((model: string | undefined, version: string | undefined, options: StatsOptions) =>
      using(connect(options.url), async (client) => {
        const look = async (): Promise<ModelCounts[]> =>
          (await client.modelStatistics(model, version === undefined ? {} : { version })).map(
            countsOf,
          );
        if (options.watch === undefined) showCounts(await look(), io, { ...options, model });
        else await watch(look, io, options);
      }),
    );
  return withServerOptions(command, io);
}

// ---- details below; callers need not read ----

const DESCRIPTION = `Shows what each model has done since it was loaded; for one model, also by the size of batches. Times are means per request:
Queue is waiting for an instance, Compute the work on it, Total from arrival to answer.

  inferd stats
  inferd stats digits --watch
  inferd stats --watch 10 --json >> stats.jsonl

JSON: { "models": [ { "name", "version", "requests", "failures", "rows", "batches", "rowsPerBatch", "lastRequest", "meanUs": { "queue",
"input", "compute", "output", "total" }, "batchSizes": [ { "rows", "batches", "computeUs" } ] } ] }, times in microseconds, null for
what has not happened. With --watch a line each time: { "seconds", "models": [ { "name", "version", "requestsPerSecond",
"failuresPerSecond", "rowsPerSecond", "rowsPerBatch", "meanUs" } ] }.`;

function showCounts(
  models: readonly ModelCounts[],
  io: SubcommandIo,
  { json: asJson, model }: StatsOptions & { readonly model: string | undefined },
): void {
  if (asJson) io.write(json({ models: models.map(countsJson) }));
  else if (models.length === 0) io.write('No model is ready.\n');
  else io.write(countsText(models) + (model === undefined ? '' : batchSizesText(models)));
}

async function watch(
  look: () => Promise<ModelCounts[]>,
  io: SubcommandIo,
  options: StatsOptions,
): Promise<void> {
  const seconds = secondsOf(options.watch);
  const interrupted = io.interrupted();
  let before = await look();
  let at = io.clock.now();
  if (!options.json && io.isTerminal.output)
    io.write(`the first rates come in ${seconds} s; Ctrl-C ends it\n`);
  for (;;) {
    await pause(seconds * 1000, io, interrupted);
    if (interrupted.aborted) return;
    const [now, nowAt] = [await look(), io.clock.now()];
    const changes = now.map((model) => countsSince(model, sameModel(model, before)));
    showRates(changes, Math.round(nowAt - at) / 1000, { io, options });
    before = now;
    at = nowAt;
  }
}

function showRates(
  models: readonly ModelCounts[],
  seconds: number,
  { io, options }: { readonly io: SubcommandIo; readonly options: StatsOptions },
): void {
  if (options.json) {
    const rates = models.map((model) => ratesJson(model, seconds));
    io.write(`${JSON.stringify({ seconds, models: rates })}\n`);
    return;
  }
  const text = models.length === 0 ? 'No model is ready.\n' : ratesText(models, seconds);
  io.write(`${io.isTerminal.output ? CLEAR_SCREEN : ''}${text}`);
}

function sameModel(model: ModelCounts, among: readonly ModelCounts[]): ModelCounts | undefined {
  return among.find(({ name, version }) => name === model.name && version === model.version);
}

/** Ends early when it is interrupted. */
function pause(ms: number, { clock }: SubcommandIo, interrupted: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clock.clearTimer(timer);
      interrupted.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.setTimer(end, ms);
    interrupted.addEventListener('abort', end);
    if (interrupted.aborted) end();
  });
}

function secondsOf(text: string | true | undefined): number {
  if (text === true || text === undefined) return WATCH_SECONDS;
  const seconds = Number(text);
  if (!(seconds > 0) || seconds === Infinity)
    throw new InvalidOption(`--watch takes a number of seconds, got '${text}'`);
  return seconds;
}
