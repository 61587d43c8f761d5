// `npm run bench:density`: very many models in one process. See --help, and docs/model-control.md.

import { TemporaryRepository } from '../runtime/e2e/harness/temporary-repository.js';
import { cleaningUp } from './cleanup.js';
import type { BenchFlag, FlagValues } from './command/flags.js';
import type { Outcome } from './command/outcome.js';
import { runBench, type Say } from './command/run-bench.js';
import { GLIBC, IMAGE_MALLOC_CONF, findJemalloc, jemalloc } from './density/allocator.js';
import { densityOutcome } from './density/density-report.js';
import { measureChurn, type ChurnFigures } from './density/measure-churn.js';
import { measureStart, type StartFigures } from './density/measure-start.js';
import { writeFleet } from './density/model-fleet.js';

/** Of the models, the share that stays while the others come and go. */
const STAYING_SHARE = 0.1;

const FLAGS: readonly BenchFlag[] = [
  { name: 'models', value: 'N', text: 'how many models', default: '1000' },
  { name: 'rounds', value: 'N', text: 'of unloading and loading', default: '10' },
  { name: 'jemalloc', value: 'PATH', text: 'the library (found where distributions have it)' },
  {
    name: 'malloc-conf',
    value: 'TEXT',
    text: "jemalloc's settings",
    default: IMAGE_MALLOC_CONF,
  },
];

process.exitCode = await runBench(
  {
    command: 'bench:density',
    about: `Starts a server on a thousand models of 17 kB, then unloads and loads nine hundred of them ten times, with memory after each;
the same with jemalloc preloaded, as the image has it, where that is installed. Takes about three minutes. Exit code 1: a model
answered wrongly; on glibc, all were not ready after 4 s, or took more than 600 MiB; memory grew by more than 5 % after the second
round; or unloading gave less than 60 % back with jemalloc.`,
    flags: FLAGS,
    measure: density,
  },
  process.argv.slice(2),
);

function density(values: FlagValues, say: Say): Promise<Outcome> {
  const count = values.count('models', 9_999);
  const rounds = values.count('rounds', 1_000);
  const mallocConf = values.text('malloc-conf')!;
  const staying = Math.ceil(count * STAYING_SHARE);
  return cleaningUp(async (cleanup) => {
    const repository = cleanup.enter(new TemporaryRepository(), (it) => it.remove());
    const models = writeFleet(repository, count);
    say(`${count} models are written`);
    const library = values.text('jemalloc') ?? findJemalloc();
    const allocators = library === undefined ? [GLIBC] : [GLIBC, jemalloc(library, mallocConf)];
    const starts: StartFigures[] = [];
    const churns: ChurnFigures[] = [];
    for (const allocator of allocators) {
      starts.push(await measureStart(repository.path, models, allocator));
      say(`${allocator.name}: ready after ${(starts.at(-1)!.readyMs / 1000).toFixed(2)} s`);
      const task = { repository: repository.path, models, staying, rounds, allocator };
      churns.push(await measureChurn(task, say));
    }
    const note =
      library === undefined
        ? 'jemalloc is not installed (libjemalloc.so.2): nothing is said of it.'
        : `jemalloc is ${library} with ${mallocConf}.`;
    return densityOutcome({ models: count, staying, mallocConf, starts, churns }, [note]);
  });
}
