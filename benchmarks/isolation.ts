// `npm run bench:isolation`: a tiny model beside a slow one that is saturated. See --help, and docs/model-control.md.

import { cleaningUp } from './cleanup.js';
import type { FlagValues } from './command/flags.js';
import type { Outcome } from './command/outcome.js';
import { runBench, type Say } from './command/run-bench.js';
import { isolationOutcome, type Arrangement } from './isolation/isolation-report.js';
import { isolationStage } from './isolation/isolation-stage.js';
import { measureIsolation, type IsolationPlan } from './isolation/measure-isolation.js';
import { stepsFor } from './isolation/slow-model.js';

const SLOW_MS = 300;

interface ArrangementPlan extends IsolationPlan {
  readonly name: string;
  readonly tinyCount: number;
  readonly flags: readonly string[];
}

process.exitCode = await runBench(
  {
    command: 'bench:isolation',
    about: `Calls a tiny model, one request at a time, beside a model that computes for 300 ms on one thread: idle, then kept busy by several
callers, in turns. First with a thread for each; then with 20 tiny models on two threads, where the server has three seconds to
find out whom to separate. Takes about two minutes. Exit code 1: p99 of a tiny model was more than three times that with the slow
one idle.`,
    flags: [
      { name: 'callers', value: 'N', text: 'of the slow model', default: '3' },
      { name: 'pairs', value: 'N', text: 'of windows, whose medians are told', default: '5' },
    ],
    measure: isolation,
  },
  process.argv.slice(2),
);

async function isolation(values: FlagValues, say: Say): Promise<Outcome> {
  const callers = values.count('callers', 100);
  const pairs = values.count('pairs', 100);
  const slowSteps = await stepsFor(SLOW_MS);
  say(`${slowSteps} steps take ${SLOW_MS} ms`);
  const plans: ArrangementPlan[] = [
    {
      name: 'a thread each',
      ...{ tinyCount: 1, flags: [], measured: 1 },
      ...{ callers, pairs, windowMs: 3_000, warmUpMs: 3_000 },
    },
    {
      name: '2 threads for 21 models',
      ...{ tinyCount: 20, flags: ['--executor-threads=2'], measured: 6 },
      ...{ callers, pairs: Math.ceil(pairs / 2), windowMs: 2_000, warmUpMs: 4_000 },
    },
  ];
  const arrangements: Arrangement[] = [];
  for (const plan of plans) {
    say(plan.name);
    const figures = await cleaningUp(async (cleanup) =>
      measureIsolation(await isolationStage({ slowSteps, ...plan }, cleanup), plan, say),
    );
    arrangements.push({ name: plan.name, figures });
  }
  return isolationOutcome(arrangements, `The slow model is kept busy by ${callers} callers.`);
}
