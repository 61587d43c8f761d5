// `npm run bench`: serving benchmarks. See --help, and docs/benchmarks.md.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from './command/usage-error.js';
import { chooseLoader } from './load/choose-loader.js';
import { measureWork } from './measure-work.js';
import { withFigures } from './report/docs-table.js';
import { thisMachine } from './report/machine.js';
import { disturbances, resultTable } from './report/result-table.js';
import type { BenchResult, PointResult } from './report/result.js';
import { verdicts } from './report/targets.js';
import { terminalTable } from './report/text-table.js';
import { HELP, servingOptions, type ServingOptions } from './serving-options.js';
import { obstacle } from './works/work.js';

const LATEST = 'benchmarks/results/latest.json';
const DOCUMENTED = 'benchmarks/results/documented.json';
const DOCUMENT = 'docs/benchmarks.md';

process.exitCode = await main();

async function main(): Promise<number> {
  let options: ServingOptions | undefined;
  try {
    options = servingOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nnpm run bench -- --help lists the flags\n`);
    return 1;
  }
  if (!options) {
    process.stdout.write(HELP);
    return 0;
  }
  const { from } = options;
  const result = from === undefined ? await measure(options) : readResult(from);
  show(result);
  return keep(result, options);
}

function show({ points }: BenchResult): void {
  process.stdout.write(`\n${terminalTable(resultTable(points))}\n`);
  for (const line of [...verdicts(points), ...disturbances(points)])
    process.stdout.write(`${line}\n`);
}

/** The exit code. */
function keep(result: BenchResult, { from, jsonFile, docs }: ServingOptions): number {
  const failed = result.points.some(({ error }) => error !== undefined);
  if (from === undefined) writeResult(LATEST, result);
  if (jsonFile !== undefined) writeResult(jsonFile, result);
  if (docs && !failed) {
    writeResult(DOCUMENTED, result);
    writeFileSync(DOCUMENT, withFigures(readFileSync(DOCUMENT, 'utf8'), result));
  }
  return failed ? 1 : 0;
}

async function measure(options: ServingOptions): Promise<BenchResult> {
  const loader = await chooseLoader(options.loader);
  const date = new Date().toISOString();
  const points: PointResult[] = [];
  const skipped: string[] = [];
  for (const work of options.works) {
    const why = obstacle(work);
    if (why === undefined) {
      process.stdout.write(`${work.name}: ${work.title}\n`);
      const { repetitions } = options;
      const task = { work, points: options.points ?? work.points, repetitions, loader };
      points.push(...(await measureWork(task, tellProgress)));
    } else {
      skipped.push(`${work.name} was skipped: ${why}`);
      process.stdout.write(`${skipped.at(-1)!}\n`);
    }
  }
  const machine = thisMachine();
  const { repetitions } = options;
  return { date, machine, loader: loader.name, repetitions, points, skipped };
}

function tellProgress({ point, figures, error }: PointResult): void {
  if (!figures) process.stdout.write(`  ${point}: ${error ?? ''}\n`);
  else {
    const { inferd, toEcho, ort } = figures;
    const loop = ort ? `, ${ort.ratio.median.toFixed(2)} of ONNX Runtime` : '';
    process.stdout.write(
      `  ${point}: ${inferd.requestsPerSecond.toFixed(0)} requests/s, ${toEcho.median.toFixed(2)} of the echo${loop}\n`,
    );
  }
}

function readResult(file: string): BenchResult {
  return JSON.parse(readFileSync(file, 'utf8')) as BenchResult;
}

function writeResult(file: string, result: BenchResult): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
}
