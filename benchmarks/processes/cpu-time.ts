// CPU time as the kernel counts it, where there is a /proc. The unit of /proc is 1/100 s on every Linux.

import { readFileSync } from 'node:fs';

const TICK_US = 10_000;

/** User and system time of a process in microseconds; undefined where that cannot be known. */
export function cpuUs(pid: number): number | undefined {
  const fields = statFields(pid);
  return fields && fields.own * TICK_US;
}

/**
 * CPU time of the whole machine that is not of these processes nor of this one and those it has waited for, in microseconds. Two
 * readings apart tell how much others were using.
 */
export function othersCpuUs(pids: readonly number[]): number | undefined {
  const own = statFields(process.pid);
  if (!own) return undefined;
  let ticks = busyTicks(readFileSync('/proc/stat', 'utf8')) - own.own - own.waitedFor;
  for (const pid of pids) ticks -= statFields(pid)?.own ?? 0;
  return ticks * TICK_US;
}

/** Ticks of a process and of its ended children, from /proc/PID/stat. Its second field may contain anything, in parentheses. */
export function processTicks(stat: string): { own: number; waitedFor: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const at = (index: number): number => Number(fields[index]);
  return { own: at(11) + at(12), waitedFor: at(13) + at(14) };
}

/** Of all processors together, from /proc/stat: everything but idle and waiting for disks. */
export function busyTicks(stat: string): number {
  const [user, nice, system, , , irq, softirq] = stat
    .slice(0, stat.indexOf('\n'))
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return user! + nice! + system! + irq! + softirq!;
}

function statFields(pid: number): { own: number; waitedFor: number } | undefined {
  try {
    return processTicks(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}
