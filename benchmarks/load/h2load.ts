// Load by h2load (https://nghttp2.org/documentation/h2load-howto.html): one thread in C, which costs a machine with few cores
// least. It takes any HTTP response for a success, also one that carries a gRPC error: who calls it must count elsewhere.

import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { percentile } from '../median.js';
import { INFER_PATH, type Loader, type LoadResult, type LoadTask } from './load.js';

const run = promisify(execFile);
const LONGEST_RUN_MS = 300_000;

/** Windows of 16 and 64 MB (as powers of two), so that flow control never holds a request back. */
const WINDOWS = ['-w', '24', '-W', '26'];

/** undefined when h2load is not installed. */
export async function h2load(): Promise<Loader | undefined> {
  try {
    const { stdout } = await run('h2load', ['--version']);
    return { name: stdout.trim().replace(' nghttp2/', ' of nghttp2 '), run: load };
  } catch {
    return undefined;
  }
}

export function h2loadArguments(task: LoadTask, logFile: string): string[] {
  const { port, bodyFile, point, requests } = task;
  // Each connection must have something to send.
  const connections = Math.min(point.connections, requests);
  return [
    ...['-n', String(requests), '-c', String(connections), '-m', String(point.streams)],
    ...['-t', '1', ...WINDOWS, '-d', bodyFile, `--log-file=${logFile}`],
    ...['-H', 'content-type: application/grpc', '-H', 'te: trailers'],
    `http://127.0.0.1:${port}${INFER_PATH}`,
  ];
}

/** @throws Error when not all of so many requests have been answered */
export function requestsPerSecondFrom(output: string, requests: number): number {
  const succeeded = /, (\d+) succeeded,/.exec(output)?.[1];
  const rate = /^finished in [\d.]+\w+, ([\d.]+) req\/s/m.exec(output)?.[1];
  if (Number(succeeded) === requests && rate !== undefined) return Number(rate);
  throw new Error(`h2load: ${succeeded ?? 'none'} of ${requests} requests were answered`);
}

/** The third column of --log-file, ascending: microseconds from sending a request to the end of its answer. */
export function durationsFromLog(log: string): number[] {
  const durations = log
    .trimEnd()
    .split('\n')
    .map((line) => Number(line.slice(line.lastIndexOf('\t') + 1)));
  return durations.sort((a, b) => a - b);
}

async function load(task: LoadTask): Promise<LoadResult> {
  const logFile = `${task.bodyFile}.log`;
  // It appends.
  await rm(logFile, { force: true });
  const { stdout } = await run('h2load', h2loadArguments(task, logFile), {
    timeout: LONGEST_RUN_MS,
  });
  const requestsPerSecond = requestsPerSecondFrom(stdout, task.requests);
  const durations = durationsFromLog(await readFile(logFile, 'utf8'));
  return {
    requestsPerSecond,
    p50Us: percentile(durations, 0.5),
    p99Us: percentile(durations, 0.99),
  };
}
