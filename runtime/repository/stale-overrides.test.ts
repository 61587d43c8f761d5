import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OverrideFiles } from './override-files.js';
import { clearStaleOverrides, ownPrefix } from './stale-overrides.js';

let temporary: string;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'inferd-stale-'));
  vi.stubEnv('TMPDIR', temporary);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(temporary, { recursive: true });
});

/** What is left of directories of these names. */
async function leftOf(...names: string[]): Promise<string[]> {
  for (const name of names) await mkdir(join(temporary, name, '1'), { recursive: true });
  await clearStaleOverrides();
  return readdir(temporary);
}

async function own(): Promise<{ world: string; startedAt: string }> {
  const [, , boot, namespace, , startedAt] = (await ownPrefix()).split('-');
  return { world: `inferd-override-${boot}-${namespace}`, startedAt: startedAt! };
}

describe('clearStaleOverrides', () => {
  it('removes what a process left that has ended, or whose number another has now', async () => {
    const { world, startedAt } = await own();
    const { pid } = spawnSync(process.execPath, ['--version']);

    expect(
      await leftOf(`${world}-${pid}-${startedAt}-x`, `${world}-${process.pid}-${startedAt}1-x`),
    ).toEqual([]);
  });

  it('leaves alone what is in use', async () => {
    const files = await OverrideFiles.write(new Map([['1/model.onnx', Buffer.from('model')]]));

    await clearStaleOverrides();

    expect(await readdir(files.path)).toEqual(['1']);
    await files.release();
  });

  it('leaves alone what it cannot judge: of another machine, another namespace, or nobody it knows', async () => {
    const { world, startedAt } = await own();
    const { pid } = spawnSync(process.execPath, ['--version']);
    const others = [
      world.replace(/override-./, (text) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0')),
      `${world}9`,
    ].map((name) => `${name}-${pid}-${startedAt}-x`);
    const unknown = ['inferd-override-Ab12Cd', 'somebody-else'];

    expect((await leftOf(...others, ...unknown)).sort()).toEqual([...others, ...unknown].sort());
  });
});
