// `npm run bench:pipelines`: what an ensemble costs beside a single model. See --help, and docs/ensembles.md.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TemporaryRepository } from '../runtime/e2e/harness/temporary-repository.js';
import { cleaningUp, stop, type Cleanup } from './cleanup.js';
import type { FlagValues } from './command/flags.js';
import type { Outcome } from './command/outcome.js';
import { runBench, type Say } from './command/run-bench.js';
import { chooseLoader } from './load/choose-loader.js';
import { pipelineOutcome, type Pair } from './pipelines/pipeline-report.js';
import { ENSEMBLE, SINGLE, writeModels } from './pipelines/pipeline-models.js';
import { ServedProcess } from './processes/served-process.js';
import { grpcFrame, inferMessage } from './works/infer-message.js';
import { pointFromName } from './works/work.js';

const POINT = pointFromName('4x16')!;
/** A share of a visit that is sent before any is measured. */
const WARM_UP_SHARE = 1 / 4;

process.exitCode = await runBench(
  {
    command: 'bench:pipelines',
    document: 'docs/ensembles.md',
    about: `Loads one server in turns: a tiny model, and an ensemble that asks that model and a second tiny one after it. 4 connections with
16 requests each. Takes about a minute. Exit code 1: the ensemble answered less than 0.6 as many requests.`,
    flags: [
      { name: 'pairs', value: 'N', text: 'of visits, whose median ratio is told', default: '7' },
      { name: 'requests', value: 'N', text: 'of a visit', default: '40000' },
    ],
    measure: (values, say) => cleaningUp((cleanup) => measure(values, say, cleanup)),
  },
  process.argv.slice(2),
);

async function measure(values: FlagValues, say: Say, cleanup: Cleanup): Promise<Outcome> {
  const pairs = values.count('pairs', 100);
  const requests = values.count('requests', 1_000_000);
  const repository = cleanup.enter(new TemporaryRepository(), (it) => it.remove());
  writeModels(repository);
  const folder = cleanup.enter(mkdtempSync(join(tmpdir(), 'inferd-bench-')), (path) =>
    rmSync(path, { recursive: true }),
  );
  const server = cleanup.enter(await ServedProcess.inferd(repository.path), stop);
  const loader = await chooseLoader(undefined);
  const visit = async (work: typeof SINGLE, count: number): Promise<number> => {
    const bodyFile = join(folder, work.name);
    writeFileSync(bodyFile, grpcFrame(inferMessage(work)));
    const task = { port: server.grpcPort, bodyFile, point: POINT, requests: count };
    return (await loader.run(task)).requestsPerSecond;
  };
  for (const work of [SINGLE, ENSEMBLE]) await visit(work, Math.ceil(requests * WARM_UP_SHARE));
  const done: Pair[] = [];
  while (done.length < pairs) {
    const single = await visit(SINGLE, requests);
    const pair = { single, ensemble: await visit(ENSEMBLE, requests) };
    done.push(pair);
    say(`${Math.round(pair.single)} and ${Math.round(pair.ensemble)} requests per second`);
  }
  return pipelineOutcome(done, loader.name);
}
