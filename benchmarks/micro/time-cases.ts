// Times small operations against a reference loop: case after case, round after round, so that what the machine does meanwhile
// hits all of them. It is CPU time, with that of the garbage collector, because a process that shares its processor waits. The
// ratio to the reference can be compared between machines, nanoseconds cannot.

import { getHeapSpaceStatistics } from 'node:v8';
import { median } from '../median.js';
import type { MicroCase } from './micro-case.js';

export interface MicroFigures {
  readonly name: string;
  readonly nsPerOperation: number;
  readonly toReference: number;
  /** On the heap and in buffers. */
  readonly bytesPerOperation: number;
}

const ROUND_MS = 40;
/** So few that nothing is collected while they are counted: the young generation is as large as package.json makes it. */
const COUNTED_OPERATIONS = 5_000;

let seen: unknown;

/** @param reference one of `cases` */
export function timeCases(
  cases: readonly MicroCase[],
  reference: MicroCase,
  rounds: number,
): MicroFigures[] {
  const calls = cases.map((it) => callsPerRound(it));
  const times = cases.map((): number[] => []);
  for (let round = 0; round < rounds; round++)
    cases.forEach((it, index) => times[index]!.push(nsPerOperation(it, calls[index]!)));
  const references = times[cases.indexOf(reference)]!;
  return cases.map((it, index) => ({
    name: it.name,
    nsPerOperation: median(times[index]!),
    toReference: median(times[index]!.map((time, round) => time / references[round]!)),
    bytesPerOperation: median(Array.from({ length: 5 }, () => bytesPerOperation(it))),
  }));
}

// ---- details below; callers need not read ----

function callsPerRound(it: MicroCase): number {
  let calls = 1;
  for (;;) {
    const ms = (nsPerOperation(it, calls) * calls * it.operations) / 1e6;
    if (ms >= ROUND_MS) return calls;
    calls *= ms < ROUND_MS / 16 ? 8 : 2;
  }
}

function nsPerOperation(it: MicroCase, calls: number): number {
  const before = process.cpuUsage();
  for (let left = calls; left > 0; left--) seen = it.run();
  const { user, system } = process.cpuUsage(before);
  if (seen === undefined) throw new Error(`${it.name} has no result`);
  return ((user + system) * 1000) / calls / it.operations;
}

function bytesPerOperation(it: MicroCase): number {
  if (!globalThis.gc) throw new Error('needs node --expose-gc; run by npm run bench:micro');
  const calls = Math.ceil(COUNTED_OPERATIONS / it.operations);
  globalThis.gc();
  const before = bytesInUse();
  for (let left = calls; left > 0; left--) seen = it.run();
  return Math.max(0, (bytesInUse() - before) / calls / it.operations);
}

/** Of the young generation only: sweeping the old one goes on beside us, and would be counted, too. */
function bytesInUse(): number {
  const young = getHeapSpaceStatistics().filter(({ space_name: name }) => name.startsWith('new_'));
  return young.reduce(
    (sum, space) => sum + space.space_used_size,
    process.memoryUsage().arrayBuffers,
  );
}
