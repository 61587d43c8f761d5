// Memory and threads of a process as the kernel tells them.

import { readFileSync } from 'node:fs';

export interface ProcessStatus {
  readonly residentBytes: number;
  readonly threads: number;
}

/** @throws Error when there is no such process, or no /proc */
export function processStatus(pid: number): ProcessStatus {
  return statusFrom(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** From /proc/PID/status. */
export function statusFrom(text: string): ProcessStatus {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
  const threads = /^Threads:\s+(\d+)$/m.exec(text)?.[1];
  if (kilobytes === undefined || threads === undefined)
    throw new Error('/proc/PID/status has no VmRSS or no Threads');
  return { residentBytes: Number(kilobytes) * 1024, threads: Number(threads) };
}
