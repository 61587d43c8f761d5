// `npm run bench:soak -- --minutes 10`: full load for a long time, to see whether the server grows or loses a request.
// Exit code 1 when it does either.

import { parseArgs } from 'node:util';
import { chooseLoader } from './load/choose-loader.js';
import { countsGrownBy, modelCounts, type ModelCounts } from './processes/model-counts.js';
import { growthOf, isTooMuch, windowMedians } from './soak/memory-growth.js';
import { OnceASecond } from './soak/once-a-second.js';
import { onStage, type Stage } from './stage.js';
import { WORKS } from './works/work.js';

const HELP = `npm run bench:soak -- [--minutes 10]

Keeps the tiny model under full load (4 connections with 16 requests each) while /metrics is scraped every second; prints the
server's resident memory every 30 seconds. Exit code 1: it grew by 5 % or more after the first minute, or a request was lost.
`;
const POINT = { connections: 4, streams: 16 };
const FEWEST_MINUTES = 2;
const FIRST_ROUND = 40_000;
const ROUND_SECONDS = 10;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '10' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const minutes = Number(values.minutes);
  if (!(minutes >= FEWEST_MINUTES)) {
    process.stderr.write(`--minutes: at least ${FEWEST_MINUTES}, memory settles in the first\n`);
    return 1;
  }
  const loader = await chooseLoader(undefined);
  const tiny = WORKS.find(({ name }) => name === 'tiny')!;
  return onStage(tiny, loader, (stage) => soak(stage, minutes));
}

async function soak(stage: Stage, minutes: number): Promise<number> {
  const beside = new OnceASecond(stage.inferd, (seconds, bytes) =>
    say(`${seconds.toString().padStart(5)} s  ${(bytes / 2 ** 20).toFixed(1)} MiB`),
  );
  const { sent, problems } = await loadFor(stage, minutes * 60_000);
  beside.stop();
  problems.push(...beside.scrapeErrors);
  const growth = growthOf(windowMedians(beside.samples));
  say(`${sent} requests in ${minutes} minutes, ${problems.length} problems`);
  for (const problem of problems.slice(0, 10)) say(problem);
  if (growth === undefined) say('too short to tell whether it grows');
  else say(`growth after the first minute: ${(growth * 100).toFixed(1)} %`);
  return problems.length > 0 || growth === undefined || isTooMuch(growth) ? 1 : 0;
}

/** Round after round, each of which must be counted to the last request by the server. Ends at the first that is not. */
async function loadFor(
  { client, work, loader, inferd, bodyFile }: Stage,
  durationMs: number,
): Promise<{ sent: number; problems: string[] }> {
  const read = (): Promise<ModelCounts> => modelCounts(client, work.name);
  const endAt = performance.now() + durationMs;
  let sent = 0;
  for (let requests = FIRST_ROUND; performance.now() < endAt;) {
    try {
      const before = await read();
      const task = { port: inferd.grpcPort, bodyFile, point: POINT, requests };
      const { requestsPerSecond } = await loader.run(task);
      await countsGrownBy(requests, before, read);
      sent += requests;
      const secondsLeft = Math.max(1, (endAt - performance.now()) / 1000);
      requests = Math.ceil(requestsPerSecond * Math.min(ROUND_SECONDS, secondsLeft));
    } catch (error) {
      return { sent, problems: [(error as Error).message] };
    }
  }
  return { sent, problems: [] };
}
