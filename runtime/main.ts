#!/usr/bin/env node
// The process: arguments and environment in, exit code out. The only file that touches `process`.

import { readFile, writeFile } from 'node:fs/promises';
import { Shown, parseCommandLine } from './cli/command-line.js';
import { isSubcommand } from './cli/is-subcommand.js';
import type { CheckRepository } from './cli/repository-check.js';
import { statusTable } from './cli/status-table.js';
import { InvalidOption } from './config/invalid-option.js';
import { serverOptionsFrom, type ServerOptions } from './config/server-options.js';
import { MAX_TIMER_MS, systemClock } from './core/clock.js';
import { endsWithin } from './core/ends-within.js';
import type { AdjustableLog } from './core/log.js';
import { createLogger } from './observability/logger.js';
import { StartFailed, createServer, type Server } from './server.js';
import { VERSION } from './version.js';

/** After requests have been cut off: how long batches that execute already may take to end. */
const LAST_BATCHES_MS = 5_000;

/** npm hands a signal on to a process that the terminal or a script has sent it to as well: within this time two are one. */
const SAME_SIGNAL_MS = 300;

const argv = process.argv.slice(2);
process.exitCode = isSubcommand(argv) ? await tool() : await main();

/** Loaded only when asked for: the server needs no client. */
async function tool(): Promise<number> {
  const { runSubcommand } = await import('./cli/subcommands.js');
  // Who reads, such as head, has had enough.
  process.stdout.on('error', () => process.exit(0));
  const io = {
    write: (text: string) => process.stdout.write(text),
    writeError: (text: string) => process.stderr.write(text),
    readFile: (path: string) => readFile(path),
    writeFile,
    environment: process.env,
    isTerminal: { output: process.stdout.isTTY, errors: process.stderr.isTTY },
    // Unlike the server, which has sockets, a tool that waits has nothing else to live for.
    clock: {
      ...systemClock,
      setTimer: (fn: () => void, ms: number) => setTimeout(fn, Math.min(ms, MAX_TIMER_MS)),
    },
    interrupted: () => {
      const controller = new AbortController();
      process.once('SIGINT', () => controller.abort());
      return controller.signal;
    },
  };
  return runSubcommand(argv, io, { checkRepository });
}

/** With the settings that a server started here would have. */
async function checkRepository(
  ...[directory, how]: Parameters<CheckRepository>
): ReturnType<CheckRepository> {
  const { checkRepository: check } = await import('./check-repository.js');
  const { values } = parseCommandLine([`--model-repository=${directory}`], process.env, {
    version: VERSION,
    write: () => undefined,
  });
  return check(directory, how, serverOptionsFrom(values, process.env));
}

async function main(): Promise<number> {
  const startedAt = performance.now();
  let options: ServerOptions;
  let warnings: readonly string[];
  try {
    const commandLine = parseCommandLine(argv, process.env, {
      version: VERSION,
      write: (text) => process.stdout.write(text),
    });
    warnings = commandLine.warnings;
    options = serverOptionsFrom(commandLine.values, process.env);
  } catch (error) {
    if (error instanceof Shown) return 0;
    if (!(error instanceof InvalidOption)) throw error;
    process.stderr.write(`inferd: ${error.message}\n`);
    return 1;
  }
  const forPeople =
    process.stderr.isTTY && options.log.format !== 'json' && options.log.file === '';
  let log: AdjustableLog;
  try {
    const isTerminal = process.stderr.isTTY;
    const isColored = isTerminal && !process.env['NO_COLOR'];
    log = createLogger(options.log, { isTerminal, isColored });
  } catch (error) {
    process.stderr.write(`inferd: --log-file: ${String(error)}\n`);
    return 1;
  }
  for (const warning of [...warnings, ...options.warnings]) log.warn({}, warning);
  return serve(options, { log, forPeople, startedAt });
}

async function serve(
  options: ServerOptions,
  { log, forPeople, startedAt }: { log: AdjustableLog; forPeople: boolean; startedAt: number },
): Promise<number> {
  const show = ({ models, problems }: Pick<Server, 'models' | 'problems'>): void => {
    if (forPeople) process.stderr.write(`${statusTable(models, problems)}\n`);
  };
  let server: Server;
  try {
    server = await createServer(options, log);
  } catch (error) {
    if (error instanceof StartFailed) show(error);
    const text = `cannot start: ${error instanceof Error ? error.message : String(error)}`;
    log.error({}, text);
    if (options.log.file !== '') process.stderr.write(`inferd: ${text}\n`);
    return 1;
  }
  show(server);
  const tried = server.models.filter(({ state }) => state !== '');
  const ready = tried.filter(({ state }) => state === 'READY').length;
  const ms = Math.round(performance.now() - startedAt);
  // Before the word that it is up: whoever reads that may send one at once.
  const ended = firstSignal();
  log.info(
    { ms },
    `inferd ${VERSION} is up with ${ready} of ${tried.length} model versions; Ctrl-C ends it`,
  );
  const signal = await ended;
  log.info({ signal }, 'finishing the requests under way; once more ends at once');
  const { drainDelayMs, exitTimeoutMs } = options;
  if (await endsWithin(server.close(), drainDelayMs + exitTimeoutMs + LAST_BATCHES_MS)) {
    log.info({}, 'goodbye');
    return 0;
  }
  log.error({}, 'a model is still computing and cannot be stopped; ending without it');
  // Not process.exit: to tear ONNX Runtime down under a running model is to crash.
  process.kill(process.pid, 'SIGKILL');
  return 1;
}

/** Soon after it, signals do again what they do to any process. */
function firstSignal(): Promise<NodeJS.Signals> {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  return new Promise((resolve) => {
    let isFirst = true;
    const take = (signal: NodeJS.Signals): void => {
      if (!isFirst) return;
      isFirst = false;
      setTimeout(() => signals.forEach((name) => process.off(name, take)), SAME_SIGNAL_MS).unref();
      resolve(signal);
    };
    for (const name of signals) process.on(name, take);
  });
}
