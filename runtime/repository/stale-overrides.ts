// Directories of load calls whose process was killed before it could remove them. Their names say whose they are: the boot, the
// PID namespace, the process and when it started, so that no number that is used again is taken for the same process. What another boot
// or namespace has left is nobody's to judge from here, as directories for temporary files are shared, and stays; so does everything
// on a system without /proc.

import { readFile, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'inferd-override-';

/** How the names of directories of this process begin. */
export async function ownPrefix(): Promise<string> {
  const world = await ownWorld();
  if (world === undefined) return PREFIX;
  const pid = await readlink('/proc/self');
  return `${PREFIX}${world}-${pid}-${await startOf(pid)}-`;
}

/** Removes what processes left that are no more. What cannot be removed is somebody else's. */
export async function clearStaleOverrides(): Promise<void> {
  const world = await ownWorld();
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names) {
    const owner = /^inferd-override-([0-9a-f]+-\d+)-(\d+)-(\d+)-/.exec(name);
    if (!owner || owner[1] !== world || (await startOf(owner[2]!)) === owner[3]) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

// ---- details below; callers need not read ----

/** Where a process number means one process. Undefined: that cannot be said. */
async function ownWorld(): Promise<string | undefined> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    const namespace = /\d+/.exec(await readlink('/proc/self/ns/pid'));
    return `${boot.slice(0, 8)}-${namespace![0]}`;
  } catch {
    return undefined;
  }
}

/** When a process started, in ticks since the boot; undefined: there is none of that number. */
async function startOf(pid: string): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // proc(5): the name of the program may hold anything; the start is the 20th field after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
