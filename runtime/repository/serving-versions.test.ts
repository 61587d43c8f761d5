// What becomes of versions that serve: their instance groups change, a reload fails, their instances are lost.

import { beforeEach, describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { GatedLoads, described, settle } from '../testing/gated-loads.js';
import { silentObserver } from '../testing/model-directory.js';
import type { ModelDescription } from './model-description.js';
import { ModelLoader } from './model-loader.js';
import { ModelRegistry } from './model-registry.js';

let loads: GatedLoads;
let registry: ModelRegistry;
let observed: string[];

beforeEach(() => {
  loads = new GatedLoads();
  registry = new ModelRegistry();
  observed = [];
});

function aLoader(): ModelLoader {
  const observer = {
    ...silentObserver,
    versionUpdated: (name: string, version: number) =>
      void observed.push(`updated ${name}:${version}`),
    versionEjected: (name: string, version: number, { message }: RuntimeError) =>
      void observed.push(`ejected ${name}:${version} ${message}`),
  };
  return new ModelLoader({ registry, loadVersion: loads.loadVersion, observer }, 4);
}

async function serve(loader: ModelLoader, description: ModelDescription): Promise<void> {
  const applied = loader.apply(description);
  await settle();
  await loads.succeed(...loads.loading);
  await applied;
}

function states(): string[] {
  return (registry.lifecycles('m') ?? []).map(
    ({ version, publicState: { state, reason } }) =>
      `${version} ${state}${reason === '' ? '' : ` ${reason}`}`,
  );
}

describe('a version of which only the instance groups change', () => {
  it('is changed while it serves, and its users see the new configuration', async () => {
    const loader = aLoader();
    await serve(loader, described([1]));
    const handle = registry.acquire('m', '');

    await loader.apply(described([1], { groups: 'two' }));

    expect(loads.log).toEqual(['load m:1', 'update m:1']);
    expect(handle.model.configMessage).toEqual({ platform: 'two' });
    expect(registry.acquire('m', '')).toBe(handle);
    expect(observed.at(-1)).toBe('updated m:1');
  });

  it('is changed once', async () => {
    const loader = aLoader();
    await serve(loader, described([1]));

    await loader.apply(described([1], { groups: 'two' }));
    await loader.apply(described([1], { groups: 'two' }));

    expect(loads.log).toEqual(['load m:1', 'update m:1']);
  });

  it('serves on as it was when the change fails, and the change is tried again', async () => {
    const loader = aLoader();
    await serve(loader, described([1]));
    loads.breakUpdating('m:1');

    for (const attempt of [1, 2])
      await expect(
        loader.apply(described([1], { groups: 'two' })),
        `attempt ${attempt}`,
      ).rejects.toThrow('version 1 is at UNAVAILABLE state: Internal: no thread is left;');

    expect(states()).toEqual(['1 READY']);
    expect(loads.log).toEqual(['load m:1', 'update m:1', 'update m:1']);
    expect(registry.lifecycles('m')?.[0]?.reloadFailure).toBe('Internal: no thread is left');
  });

  it('brings no new version into service when its change fails', async () => {
    const loader = aLoader();
    await serve(loader, described([1]));
    loads.breakUpdating('m:1');

    await expect(serve(loader, described([1, 2], { groups: 'two' }))).rejects.toThrow('version 1');

    expect(states()).toEqual(['1 READY', '2 UNAVAILABLE unloaded']);
    expect(loads.log.at(-1)).toBe('close m:2');
  });
});

describe('a version that serves on because a reload failed', () => {
  const failure = (version: number): string | undefined =>
    registry.lifecycles('m')?.find((lifecycle) => lifecycle.version === version)?.reloadFailure;

  async function failedReload(loader: ModelLoader): Promise<void> {
    const applied = loader.apply(described([1, 2], { stamp: 'b' }));
    applied.catch(() => undefined);
    await loads.fail('m:1', new RuntimeError('INTERNAL', 'no'));
    await loads.succeed('m:2');
    await expect(applied).rejects.toThrow('version 1');
  }

  it('says why, also where it was another version that failed', async () => {
    const loader = aLoader();
    await serve(loader, described([1, 2]));

    await failedReload(loader);

    expect(states()).toEqual(['1 READY', '2 READY']);
    expect([failure(1), failure(2)]).toEqual(['Internal: no', 'version 1: Internal: no']);
  });

  it('says nothing more of it when a load has succeeded, even one with nothing to do', async () => {
    const loader = aLoader();
    await serve(loader, described([1, 2]));
    await failedReload(loader);

    await loader.apply(described([1, 2]));

    expect([failure(1), failure(2)]).toEqual(['', '']);
  });
});

describe('a version whose instances are lost', () => {
  it('cannot serve any more, says why, and is closed when its users have left', async () => {
    const loader = aLoader();
    await serve(loader, described([1, 2]));
    const handle = registry.acquire('m', '2');
    let changes = 0;
    registry.onChange(() => changes++);

    loads.lose('m:2');

    expect(states()).toEqual(['1 READY', '2 UNAVAILABLE Unavailable: its thread kept dying']);
    expect(registry.acquire('m', '').model.version).toBe(1);
    expect([changes, observed.at(-1)]).toEqual([1, 'ejected m:2 its thread kept dying']);
    expect(loads.log).not.toContain('close m:2');
    handle.release();
    await loader.retired();
    expect(loads.log.at(-1)).toBe('close m:2');
  });

  it('is loaded anew by the next load, from the same files', async () => {
    const loader = aLoader();
    await serve(loader, described([1]));
    loads.lose('m:1');

    await serve(loader, described([1]));
    await loader.retired();

    expect(states()).toEqual(['1 READY']);
    expect(loads.log.filter((line) => line.startsWith('load'))).toHaveLength(2);
  });

  it('has nothing to lose when it leaves already', async () => {
    const loader = aLoader();
    await serve(loader, described([1]));
    const handle = registry.acquire('m', '');
    void loader.unload('m');

    loads.lose('m:1');

    expect(states()).toEqual(['1 UNLOADING']);
    handle.release();
    await loader.retired();
    expect(states()).toEqual(['1 UNAVAILABLE unloaded']);
  });
});
