// `npm run bench:swap`: versions are loaded, replaced and removed under load. See --help, and docs/model-control.md.

import { setTimeout as sleep } from 'node:timers/promises';
import { TemporaryRepository } from '../runtime/e2e/harness/temporary-repository.js';
import { TestClient } from '../runtime/e2e/harness/test-client.js';
import { cleaningUp, stop, type Cleanup } from './cleanup.js';
import type { FlagValues } from './command/flags.js';
import type { Outcome } from './command/outcome.js';
import { runBench, type Say } from './command/run-bench.js';
import { SteadyLoad } from './load/steady-load.js';
import { ServedProcess } from './processes/served-process.js';
import { judge } from './swap/model-state.js';
import { runChanges } from './swap/run-changes.js';
import { swapFigures, swapOutcome } from './swap/swap-report.js';
import { EXPECTED, SwappedModel, TINY } from './swap/swapped-model.js';
import { grpcFrame, inferMessage } from './works/infer-message.js';

const POINT = { connections: 4, streams: 16 };
/** Until both processes have compiled what they run over and over. */
const WARM_UP_MS = 6_000;

process.exitCode = await runBench(
  {
    command: 'bench:swap',
    about: `Keeps a tiny model under full load (4 connections with 16 requests each, every answer looked at) while its file is
replaced 50 times, a version is added and removed 50 times, and 20 broken files are loaded. Takes about two minutes.
Exit code 1: a request failed or was answered wrongly, or p99 was worse than 1.5 times that without changes.`,
    flags: [
      { name: 'pace', value: 'MS', text: 'from one operation to the next', default: '250' },
      { name: 'rounds', value: 'N', text: 'parts that the changes come in', default: '5' },
    ],
    measure: (values, say) => cleaningUp((cleanup) => swap(values, say, cleanup)),
  },
  process.argv.slice(2),
);

async function swap(values: FlagValues, say: Say, cleanup: Cleanup): Promise<Outcome> {
  const pace = { paceMs: values.count('pace', 10_000), rounds: values.count('rounds', 20) };
  const repository = cleanup.enter(new TemporaryRepository(), (it) => it.remove());
  const model = new SwappedModel(repository, () => client);
  const flags = ['--model-control-mode=explicit', `--load-model=${TINY.name}`];
  const server = cleanup.enter(await ServedProcess.inferd(repository.path, { flags }), stop);
  const client = cleanup.enter(new TestClient(server.grpcPort), (it) => it.close());
  const body = grpcFrame(inferMessage(TINY));
  const task = { port: server.grpcPort, body, point: POINT, expected: EXPECTED };
  const load = cleanup.enter(await SteadyLoad.start(task), stop);
  say('warming up');
  await sleep(WARM_UP_MS);
  const changes = await runChanges(model, pace, say);
  const log = await load.finish();
  return swapOutcome(swapFigures(log, judge(log, 0, changes.operations), changes));
}
