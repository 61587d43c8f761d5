// `npm run bench:drain`: servers are stopped under load. See --help, and docs/model-control.md.

import { TemporaryRepository } from '../runtime/e2e/harness/temporary-repository.js';
import { cleaningUp, stop, type Cleanup } from './cleanup.js';
import type { FlagValues } from './command/flags.js';
import type { Outcome } from './command/outcome.js';
import { runBench, type Say } from './command/run-bench.js';
import { failureKind } from './drain/call-outcome.js';
import { drainOutcome, type DrainArrangement } from './drain/drain-report.js';
import { measureDrain, type DrainFigures } from './drain/measure-drain.js';
import { ServedProcess } from './processes/served-process.js';
import { inferMessage } from './works/infer-message.js';
import { WORKS, configText } from './works/work.js';

const POINT = { connections: 4, streams: 16 };
const TINY = WORKS.find(({ name }) => name === 'tiny')!;
const DELAY_FLAG = 'drain-delay';

process.exitCode = await runBench(
  {
    command: 'bench:drain',
    about: `Starts a server, puts it under full load (4 connections with 16 requests each, by grpc-js without retries) and ends it by
SIGTERM, again and again: alone, and with another server that callers can go to. Takes about a minute. Exit code 1: a request that
a server had accepted failed, or one failed at all where there was another server.`,
    flags: [
      { name: 'rounds', value: 'N', text: 'of starting and stopping', default: '10' },
      {
        name: DELAY_FLAG,
        value: 'TIME',
        text: `the server's --${DELAY_FLAG}, where it has one`,
        default: '1',
      },
    ],
    measure: (values, say) => cleaningUp((cleanup) => drain(values, say, cleanup)),
  },
  process.argv.slice(2),
);

async function drain(values: FlagValues, say: Say, cleanup: Cleanup): Promise<Outcome> {
  const rounds = values.count('rounds', 1_000);
  const repository = cleanup.enter(new TemporaryRepository(), (it) => it.remove());
  repository.write(`${TINY.name}/1/model.onnx`, TINY.model());
  repository.write(`${TINY.name}/config.pbtxt`, configText(TINY));
  const hasDelay = await ServedProcess.knowsFlag(DELAY_FLAG);
  const flags = hasDelay ? [`--${DELAY_FLAG}=${values.text(DELAY_FLAG)!}`] : [];
  const other = cleanup.enter(await ServedProcess.inferd(repository.path), stop);
  const arrangements: DrainArrangement[] = [];
  for (const [name, otherPort] of [
    ['alone', undefined],
    ['beside another', other.grpcPort],
  ] as const) {
    const done: DrainFigures[] = [];
    const task = { repository: repository.path, flags, message: inferMessage(TINY), point: POINT };
    while (done.length < rounds) {
      done.push(await measureDrain({ ...task, otherPort }));
      say(`${name}, round ${done.length}: ${roundText(done.at(-1)!)}`);
    }
    arrangements.push({ name, hasOther: otherPort !== undefined, rounds: done });
  }
  const note = hasDelay ? `Servers had ${flags.join(' ')}.` : `The server has no --${DELAY_FLAG}.`;
  return drainOutcome(arrangements, [note]);
}

function roundText({ answered, failures, stopMs }: DrainFigures): string {
  const lost = failures.filter((failure) => failureKind(failure) === 'lost').length;
  const others = failures.length - lost;
  return `${answered} answered, ${lost} lost, ${others} without a server; stopped in ${stopMs.toFixed(0)} ms`;
}
