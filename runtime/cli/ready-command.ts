// `inferd ready`: is a server, or a model, ready? For scripts: the exit code answers, and --wait waits for a yes.

import type { Command } from 'commander';
import { InferdError, type IndexedModel, type InferdClient } from 'inferd-client';
import { InvalidOption } from '../config/invalid-option.js';
import type { Clock } from '../core/clock.js';
import { withProgress } from './progress.js';
import {
  DEADLINE_MS,
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
import { toldError } from './told-error.js';

export type ReadySource = Pick<InferdClient, 'isServerReady' | 'isModelReady' | 'repositoryIndex'>;

interface ReadyOptions extends ServerCommandOptions {
  readonly wait?: string;
  readonly quiet?: boolean;
}

/** A server that has just been started is asked this often. */
const AGAIN_MS = 200;

/** `connect` is for tests. */
export function readyCommand(io: SubcommandIo, connect: Connect<ReadySource> = connectTo): Command {
  const command = newCommand('ready')
    .argument('[MODEL]', 'A model. [the server with all its models]')
    .argument('[VERSION]', 'A version of it. [any]')
    .usage('[MODEL [VERSION]] [--wait SECONDS] [--quiet] [--json] [--url HOST:PORT]')
    .summary('Ask, or wait, whether a server or a model is ready.')
    .description(DESCRIPTION)
    .option('--wait <SECONDS>', 'Wait so long for a yes; also for a server that is not there yet.')
    .option('--quiet', 'Print nothing.')
    .action((model: string | undefined, version: string | undefined, options: ReadyOptions) =>
      using(connect(options.url), (client) => answer({ model, version }, { client, io, options })),
    );
  return withServerOptions(command, io);
}

// ---- details below; callers need not read ----

const DESCRIPTION = `The exit code is 0 when it is ready, 1 when it is not. A server is ready when all its models are.

  inferd ready --wait 60 && ./send-requests
  inferd ready digits 2 --quiet || echo not yet

JSON: { "ready", "reason" }.`;

interface Target {
  readonly model: string | undefined;
  readonly version: string | undefined;
}

interface Asking {
  readonly client: ReadySource;
  readonly io: SubcommandIo;
  readonly options: ReadyOptions;
}

async function answer(target: Target, { client, io, options }: Asking): Promise<void> {
  const quiet = options.quiet ?? false;
  const waitMs = secondsOf(options.wait) * 1000;
  const waiting = {
    what: () => `waiting for ${nameOf(target, options)}`,
    silent: quiet || (options.json ?? false),
  };
  const ask = (deadlineMs: number): Promise<boolean> => isReady(client, target, deadlineMs);
  const found = await withProgress(io, waiting, () => poll(ask, waitMs, io.clock));
  if (quiet) {
    if (!found.ready) throw new SubcommandFailed();
  } else {
    await tell(found, target, { client, io, options });
  }
}

async function tell(
  { ready, error }: Answer,
  target: Target,
  { client, io, options }: Asking,
): Promise<void> {
  const why = (): Promise<string> => whyNot(client, target);
  const name = nameOf(target, options);
  if (options.json) {
    const reason = ready ? '' : error ? toldError(error) : await why();
    io.write(json({ ready, reason }));
    if (!ready) throw new SubcommandFailed();
    return;
  }
  if (error) throw error;
  if (!ready) throw new SubcommandFailed(`${name} is not ready: ${await why()}`);
  io.write(`${name} is ready\n`);
}

interface Answer {
  readonly ready: boolean;
  /** Nobody answered the last time. */
  readonly error?: InferdError;
}

/** Asks at least once; and again, until the answer is yes or the time is over. The last answer counts. */
async function poll(
  ask: (deadlineMs: number) => Promise<boolean>,
  waitMs: number,
  clock: Clock,
): Promise<Answer> {
  const until = clock.now() + waitMs;
  let last: Answer | undefined;
  for (;;) {
    const leftMs = waitMs === 0 ? DEADLINE_MS : until - clock.now();
    const next = await once(ask, Math.min(leftMs, DEADLINE_MS));
    // That the time is over is no news; what was answered before, is.
    if (!last || next.error?.code !== 'DEADLINE_EXCEEDED') last = next;
    const pauseMs = Math.min(AGAIN_MS, until - clock.now());
    if (last.ready || pauseMs <= 0) return last;
    await new Promise<void>((resolve) => clock.setTimer(resolve, pauseMs));
    if (clock.now() >= until) return last;
  }
}

async function once(
  ask: (deadlineMs: number) => Promise<boolean>,
  deadlineMs: number,
): Promise<Answer> {
  try {
    return { ready: await ask(deadlineMs) };
  } catch (error) {
    const isAway =
      error instanceof InferdError && ['UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(error.code);
    if (!isAway) throw error;
    return { ready: false, error };
  }
}

function isReady(
  client: ReadySource,
  { model, version }: Target,
  deadlineMs: number,
): Promise<boolean> {
  if (model === undefined) return client.isServerReady({ deadlineMs });
  return client.isModelReady(model, { deadlineMs, ...(version !== undefined && { version }) });
}

function secondsOf(text: string | undefined): number {
  const seconds = Number(text ?? 0);
  if (!(seconds >= 0) || text === '')
    throw new InvalidOption(`--wait takes a number of seconds, got '${text ?? ''}'`);
  return seconds;
}

function nameOf({ model, version }: Target, { url }: ReadyOptions): string {
  if (model === undefined) return `the server at ${url}`;
  return version === undefined ? model : `version ${version} of ${model}`;
}

async function whyNot(client: ReadySource, { model, version }: Target): Promise<string> {
  const all = await client.repositoryIndex();
  if (model === undefined) {
    const waited = all.filter(
      ({ state, loadFailure }) => state !== 'READY' && (state !== '' || loadFailure !== ''),
    );
    const each = waited.map((entry) => `${entry.name} ${stateText(entry)}`);
    return each.join('; ') || 'it is starting or stopping';
  }
  const known = all.filter(({ name }) => name === model);
  if (known.length === 0) return 'the server knows no model of that name; inferd index lists them';
  if (known.every(({ state }) => state === '')) return notLoaded(model, known[0]!);
  const wanted = known.filter((entry) => version === undefined || entry.version === version);
  if (wanted.length > 0) return wanted.map(stateText).join('; ');
  return `the server knows versions ${known.map((entry) => entry.version).join(', ')} of it`;
}

function notLoaded(model: string, { loadFailure }: IndexedModel): string {
  return loadFailure === ''
    ? `it is not loaded; inferd load ${model}`
    : `it could not be loaded: ${loadFailure}`;
}

function stateText({ version, state, reason, loadFailure }: IndexedModel): string {
  if (state === '') return `could not be loaded (${loadFailure.trim()})`;
  return `version ${version} is ${state}${reason === '' ? '' : ` (${reason.trim()})`}`;
}
