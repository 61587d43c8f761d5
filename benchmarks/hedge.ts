// `npm run bench:hedge`: a remote model with three replicas of which one stalls, and one of which is killed. See --help, and
// docs/remote-models.md.

import { setTimeout as sleep } from 'node:timers/promises';
import { remoteRepository } from '../runtime/e2e/harness/remote-repository.js';
import { TemporaryRepository } from '../runtime/e2e/harness/temporary-repository.js';
import { onnxModel } from '../runtime/testing/onnx-model.js';
import { cleaningUp, stop, type Cleanup } from './cleanup.js';
import type { FlagValues } from './command/flags.js';
import type { Outcome } from './command/outcome.js';
import { runBench, type Say } from './command/run-bench.js';
import { hedgeOutcome, phaseFigures, type PhaseFigures } from './hedge/hedge-report.js';
import { POLICIES, frontConfigs } from './hedge/policies.js';
import { Replicas } from './hedge/replicas.js';
import { SteadyLoad } from './load/steady-load.js';
import { ServedProcess } from './processes/served-process.js';
import { grpcFrame, inferMessage, REQUEST_VALUE } from './works/infer-message.js';
import { mlpAnswer, mlpGraph } from './works/mlp-graph.js';
import { WORKS, configText } from './works/work.js';

const TINY = WORKS.find(({ name }) => name === 'tiny')!;
const GRAPH = mlpGraph([32, 64, 32, 1]);
/** Little enough that two cores are not what is waited for. */
const POINT = { connections: 1, streams: 2 };
const WARM_UP_MS = 5_000;

process.exitCode = await runBench(
  {
    command: 'bench:hedge',
    document: 'docs/remote-models.md',
    about: `Three replicas on loopback behind a remote model, every one a process of its own; one holds 1 % of its answers back for
500 ms. Measured without and with hedging (delay_quantile 0.98, budget 5 %), then while a replica is killed and started
again, with retries and with hedging. Exit code 1: p99.9 did not fall to a tenth, hedges were more than 5 %, or a request failed.`,
    flags: [{ name: 'seconds', value: 'S', text: 'of each measurement', default: '30' }],
    measure: (values, say) => cleaningUp((cleanup) => hedge(values, say, cleanup)),
  },
  process.argv.slice(2),
);

async function hedge(values: FlagValues, say: Say, cleanup: Cleanup): Promise<Outcome> {
  const ms = values.count('seconds', 600) * 1000;
  const models = cleanup.enter(new TemporaryRepository(), (it) => it.remove());
  models.write(`${TINY.name}/config.pbtxt`, configText(TINY));
  models.write(`${TINY.name}/1/model.onnx`, onnxModel(GRAPH));
  const replicas = cleanup.enter(await Replicas.start(models.path), stop);
  const fronts = frontConfigs(TINY, replicas.addresses);
  const repository = cleanup.enter(remoteRepository(fronts), (it) => it.remove());
  const server = cleanup.enter(await ServedProcess.inferd(repository.path), stop);
  const measure = async (name: string, beside: () => Promise<void>): Promise<PhaseFigures> => {
    const task = {
      port: server.grpcPort,
      body: grpcFrame(inferMessage({ ...TINY, name })),
      point: POINT,
      expected: [{ version: 1, values: mlpAnswer(GRAPH, REQUEST_VALUE) }],
    };
    const before = await replicas.received();
    const load = cleanup.enter(await SteadyLoad.start(task), stop);
    await sleep(WARM_UP_MS);
    await beside();
    const log = await load.finish();
    const after = await replicas.received();
    const figures = phaseFigures(name, log, { warmUpMs: WARM_UP_MS, received: after - before });
    say(`${name}: ${figures.requests} requests, p99.9 ${figures.p999Ms.toFixed(1)} ms`);
    return figures;
  };
  const stalls: PhaseFigures[] = [];
  for (const { name } of POLICIES.stalls) stalls.push(await measure(name, () => sleep(ms)));
  const kills: PhaseFigures[] = [];
  for (const { name } of POLICIES.kills)
    kills.push(await measure(name, () => replicas.killAndRestart(ms)));
  return hedgeOutcome(stalls, kills);
}
