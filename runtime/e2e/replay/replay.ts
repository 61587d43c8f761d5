// Plays one scenario: starts its server, issues its steps in order, and says in words what was not as recorded.

import { setTimeout as sleep } from 'node:timers/promises';
import { compareGroup } from './compare-group.js';
import { batchesOf, type Scenario, type Startup, type Step } from './scenario.js';
import type { ServerPool, StartedServer } from './server-pool.js';
import { StepRunner } from './steps.js';

/** With the limits of the start and of one call still below that of a test: what came so far is reported, the server ended. */
const SCENARIO_LIMIT_MS = 50_000;
const RETRY_MS = 50;

/** A report of several lines; empty when everything was as recorded. */
export async function replay(scenario: Scenario, pool: ServerPool): Promise<string> {
  const started = await pool.serverFor(scenario);
  try {
    const wrongStart = reportStart(scenario, started);
    return wrongStart === '' ? await replaySteps(scenario, started) : wrongStart;
  } finally {
    pool.release(started);
  }
}

async function replaySteps(scenario: Scenario, started: StartedServer): Promise<string> {
  const end = performance.now() + SCENARIO_LIMIT_MS;
  const { server, startup } = started;
  const runner = new StepRunner(server);
  const reports: string[] = [];
  try {
    if (startup[0] === 'up') await server.client.connect(scenario.steps);
    for (const { first, steps } of batchesOf(scenario.steps)) {
      const isLate = performance.now() > end;
      const complaints = isLate
        ? steps.map(() => ['the scenario takes too long'])
        : await replayBatch(steps, runner);
      reports.push(...complaints.map((lines, i) => reportStep(first + i, steps[i]!, lines)));
    }
  } finally {
    runner.cleanUp();
  }
  return reports.filter((report) => report !== '').join('\n');
}

/** One list of complaints for every step. */
async function replayBatch(steps: readonly Step[], runner: StepRunner): Promise<string[][]> {
  const retryUntil = performance.now() + Math.max(...steps.map((step) => step.poll_ms ?? 0));
  for (;;) {
    const complaints = compareGroup(steps, await runner.run(steps));
    const isDone =
      complaints.every((lines) => lines.length === 0) || performance.now() >= retryUntil;
    if (isDone) return complaints;
    await sleep(RETRY_MS);
  }
}

function reportStart(scenario: Scenario, { server, startup }: StartedServer): string {
  const expected = scenario.startup ?? ['up', null];
  if (String(startup) === String(expected)) return '';
  const text = `server start: expected ${startText(expected)}, came ${startText(startup)}`;
  const log = startup[0] === 'up' ? [] : server.logTail(4);
  return [text, ...log.map((line) => `  | ${line.slice(0, 300)}`)].join('\n');
}

function startText([end, code]: Startup): string {
  return code === null ? end : `${end} ${code}`;
}

const KINDS = ['fs', 'shm', 'http', 'signal', 'sleep_ms', 'wait_exit'] as const;

function reportStep(index: number, step: Step, complaints: readonly string[]): string {
  if (complaints.length === 0) return '';
  const kind = step.rpc ?? KINDS.find((word) => step[word] !== undefined) ?? '';
  const note = step.note === undefined ? '' : ` (${step.note})`;
  return [`step ${index + 1} ${kind}${note}`, ...complaints.map((line) => `  ${line}`)].join('\n');
}
