// A benchmark that holds claims against the server, from its command line to its exit code: 1 when a claim does not hold.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { othersCpuUs } from '../processes/cpu-time.js';
import { thisMachine } from '../report/machine.js';
import { withSection } from '../report/written-section.js';
import { DOCUMENT, helpText, parseFlags, type BenchFlag, type FlagValues } from './flags.js';
import { documentText, terminalText, type BenchRecord, type Outcome } from './outcome.js';
import { UsageError } from './usage-error.js';

export interface Bench {
  /** The npm script. */
  readonly command: string;
  /** Where --docs writes. */
  readonly document?: string;
  readonly about: string;
  readonly flags: readonly BenchFlag[];
  /** Tells its progress to `say`. @throws UsageError for values that it cannot take */
  measure(values: FlagValues, say: Say): Promise<Outcome>;
}

/** A line about what is going on. */
export type Say = (text: string) => void;

/** Others may use that much of the machine, in cores, before it is told. */
const TOLERATED_CORES = 0.1;

/** Returns the exit code. */
export async function runBench(bench: Bench, args: readonly string[]): Promise<number> {
  let values: FlagValues;
  let record: BenchRecord;
  try {
    values = parseFlags(args, bench.flags);
    if (values.has('help')) {
      process.stdout.write(helpText(bench));
      return 0;
    }
    record = await measured(bench, values);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nnpm run ${bench.command} -- --help lists the flags\n`);
    return 1;
  }
  process.stdout.write(`\n${terminalText(record)}`);
  keep(record, values, bench.document ?? DOCUMENT);
  return record.claims.every(({ holds }) => holds) ? 0 : 1;
}

async function measured(bench: Bench, values: FlagValues): Promise<BenchRecord> {
  const date = new Date().toISOString();
  const startedAt = performance.now();
  const say = (text: string): void => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0).padStart(4);
    process.stdout.write(`${seconds} s  ${text}\n`);
  };
  const othersBefore = othersCpuUs([]);
  const outcome = await bench.measure(values, say);
  // By now every process of ours has ended, so that its time is known to be ours.
  const othersUs = (othersCpuUs([]) ?? NaN) - (othersBefore ?? NaN);
  const cores = othersUs / 1000 / (performance.now() - startedAt);
  const notes = [...outcome.notes, ...disturbance(cores)];
  return { bench: bench.command, date, machine: thisMachine(), ...outcome, notes };
}

function disturbance(cores: number): string[] {
  return cores > TOLERATED_CORES
    ? [`Disturbed: other processes kept ${cores.toFixed(2)} cores busy.`]
    : [];
}

function keep(record: BenchRecord, values: FlagValues, path: string): void {
  const file = values.text('json');
  if (file !== undefined) writeRecord(file, record);
  if (!values.has('docs')) return;
  writeRecord(`benchmarks/results/documented-${record.bench.replace('bench:', '')}.json`, record);
  const document = readFileSync(path, 'utf8');
  writeFileSync(path, withSection(document, record.bench, documentText(record)));
}

function writeRecord(file: string, record: BenchRecord): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(record, null, 1)}\n`);
}
