// `npm run bench:cascade`: the sample cascade against asking its last stage for everything. See --help, and docs/cascades.md.

import { statSync } from 'node:fs';
import { TestClient } from '../runtime/e2e/harness/test-client.js';
import { cascadeOutcome } from './cascade/cascade-report.js';
import { measureCascade } from './cascade/measure-cascade.js';
import { heldOut, readMessages } from './cascade/spam-messages.js';
import { cleaningUp, stop, type Cleanup } from './cleanup.js';
import { parseFlags, type FlagValues } from './command/flags.js';
import type { Outcome } from './command/outcome.js';
import { runBench, type Bench, type Say } from './command/run-bench.js';
import { ServedProcess } from './processes/served-process.js';

const DATA = '../shared/data/sms_spam.tsv';
const REPOSITORY = 'model_repository';

const BENCH: Bench = {
  command: 'bench:cascade',
  document: 'docs/cascades.md',
  about: `Asks the sample models spam, spam_heavy and spam_light (version 1) for the held-out messages of the SMS Spam
Collection, 32 at a time: how often each is right, and how many messages it decides a second. Takes about a minute.
Exit code 1: spam is right less often than spam_heavy by more than 0.5 points, or not 5 times as fast.`,
  flags: [
    {
      name: 'data',
      value: 'FILE',
      text: 'the SMS Spam Collection; without it nothing is measured',
      default: DATA,
    },
    { name: 'rounds', value: 'N', text: 'measurements of each model, in turns', default: '7' },
    { name: 'seconds', value: 'N', text: 'that each takes', default: '3' },
  ],
  measure: (values, say) => cleaningUp((cleanup) => measure(values, say, cleanup)),
};

const args = process.argv.slice(2);
const missing = missingData();
if (missing === undefined) process.exitCode = await runBench(BENCH, args);
else
  process.stdout.write(
    `skipped: there is no file ${missing}; tools/README.md says where the data is from\n`,
  );

/** The file that is not there. */
function missingData(): string | undefined {
  try {
    const values = parseFlags(args, BENCH.flags);
    const file = values.text('data')!;
    return values.has('help') || isFile(file) ? undefined : file;
  } catch {
    // runBench says what is wrong with the flags.
    return undefined;
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

async function measure(values: FlagValues, say: Say, cleanup: Cleanup): Promise<Outcome> {
  const rounds = values.count('rounds', 100);
  const roundMs = values.count('seconds', 60) * 1000;
  const messages = heldOut(readMessages(values.text('data')!));
  const server = cleanup.enter(await ServedProcess.inferd(REPOSITORY), stop);
  const client = cleanup.enter(new TestClient(server.grpcPort), (it) => it.close());
  return cascadeOutcome(await measureCascade(client, { messages, rounds, roundMs }, say));
}
