import { beforeEach, describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { GatedLoads, described, settle } from '../testing/gated-loads.js';
import { silentObserver } from '../testing/model-directory.js';
import type { LoadObserver } from './load-observer.js';
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

function aLoader(loadThreads = 4): ModelLoader {
  const observer: LoadObserver = {
    ...silentObserver,
    modelWarning: (name, warning) => void observed.push(`${name}: ${warning}`),
    versionLoading: (name, version) => void observed.push(`loading ${name}:${version}`),
    versionReady: (name, version) => void observed.push(`ready ${name}:${version}`),
    versionFailed: (name, version, { code, message }) =>
      void observed.push(`failed ${name}:${version} ${code} ${message}`),
    versionUnloaded: (name, version) => void observed.push(`unloaded ${name}:${version}`),
  };
  return new ModelLoader({ registry, loadVersion: loads.loadVersion, observer }, loadThreads);
}

async function serve(loader: ModelLoader, description: ModelDescription): Promise<void> {
  const applied = loader.apply(description);
  await settle();
  await loads.succeed(...loads.loading);
  await applied;
}

function states(name = 'm'): string[] {
  return (registry.lifecycles(name) ?? []).map(
    ({ version, publicState: { state, reason } }) =>
      `${version} ${state}${reason === '' ? '' : ` ${reason}`}`,
  );
}

describe('ModelLoader', () => {
  it('publishes the versions of a model together', async () => {
    const loader = aLoader();

    const applied = loader.apply(described([1, 2]));
    await loads.succeed('m:1');
    expect(registry.readyVersions('m')).toEqual([]);
    expect(states()).toEqual(['1 LOADING', '2 LOADING']);
    await loads.succeed('m:2');
    await applied;

    expect(states()).toEqual(['1 READY', '2 READY']);
  });

  it('tells how it goes', async () => {
    await serve(aLoader(), described([1, 2]));

    expect(observed).toEqual(['loading m:1', 'loading m:2', 'ready m:1', 'ready m:2']);
  });

  it('tells the listeners of the registry when loading begins and when everything is in place', async () => {
    const seen: number[][] = [];
    registry.onChange(() => {
      seen.push(registry.readyVersions('m').map(({ version }) => version));
    });

    await serve(aLoader(), described([1, 2]));

    expect(seen).toEqual([[], [1, 2]]);
  });

  it('loads no more versions at once than it may, over all models', async () => {
    const loader = aLoader(2);

    const both = [loader.apply(described([1, 2])), loader.apply(described([1, 2], { name: 'n' }))];
    await settle();
    expect(loads.loading).toEqual(['m:1', 'm:2']);
    await loads.succeed('m:2');
    expect(loads.loading).toEqual(['m:1', 'n:1']);
    await loads.succeed('m:1', 'n:1');
    await loads.succeed('n:2');
    await Promise.all(both);

    expect([states('m'), states('n')]).toEqual([
      ['1 READY', '2 READY'],
      ['1 READY', '2 READY'],
    ]);
  });

  it('serves the old files until the new ones are ready, then only the new ones', async () => {
    const loader = aLoader();
    await serve(loader, described([1]));
    const old = registry.acquire('m', '1');

    const applied = loader.apply(described([1], { stamp: 'b' }));
    await settle();
    expect(states()).toEqual(['1 READY']);
    expect(registry.acquire('m', '1')).toBe(old);
    await loads.succeed('m:1');
    await applied;

    expect(registry.acquire('m', '1')).not.toBe(old);
    expect(loads.log).toEqual(['load m:1', 'load m:1']);
    old.release();
    old.release();
    await loader.retired();
    expect(loads.log).toEqual(['load m:1', 'load m:1', 'close m:1']);
  });

  it('leaves versions alone whose files are the same, and loads the others', async () => {
    const loader = aLoader();
    await serve(loader, described([1, 2]));

    const sources = new Map([
      [1, { fingerprint: 'a1', inPlace: '' }],
      [2, { fingerprint: 'changed', inPlace: '' }],
    ]);
    await serve(loader, { ...described([1, 2]), sources });
    await loader.retired();

    expect(loads.log).toEqual(['load m:1', 'load m:2', 'load m:2', 'close m:2']);
  });

  it('changes back what it has changed in place when a later version cannot be changed', async () => {
    const loader = aLoader();
    await serve(loader, described([1, 2], { groups: 'one' }));
    loads.breakUpdating('m:2');

    const applied = loader.apply(described([1, 2], { groups: 'two' }));

    await expect(applied).rejects.toThrow('no thread is left');
    expect(loads.log.slice(2)).toEqual(['update m:1', 'update m:2', 'update m:1']);
    expect(registry.acquire('m', '1').model.configMessage).toMatchObject({ platform: 'one' });
    expect(observed.slice(-1)).toEqual(['failed m:2 INTERNAL no thread is left']);

    // It is as before to the next call, too.
    await loader.apply(described([1, 2], { groups: 'one' }));
    expect(loads.log).toHaveLength(5);
  });

  it('says which version it could not change back', async () => {
    const loader = aLoader();
    await serve(loader, described([1, 2], { groups: 'one' }));
    loads.breakUpdating('m:2');
    loads.breakUpdatingAfter('m:1', 1);

    const applied = loader.apply(described([1, 2], { groups: 'two' }));

    await expect(applied).rejects.toThrow('no thread is left');
    expect(registry.acquire('m', '1').model.configMessage).toMatchObject({ platform: 'two' });
    expect(observed.slice(-2)).toEqual([
      'failed m:2 INTERNAL no thread is left',
      'failed m:1 INTERNAL its instance groups could not be changed back, so it serves with the new ones: no thread is left',
    ]);
  });

  it('takes out versions that are no longer wanted, without loading anything', async () => {
    const loader = aLoader();
    await serve(loader, described([1, 2]));

    await loader.apply(described([2]));
    await loader.retired();

    expect(states()).toEqual(['1 UNAVAILABLE unloaded', '2 READY']);
    expect(loads.log).toEqual(['load m:1', 'load m:2', 'close m:1']);
    expect(observed.at(-1)).toBe('unloaded m:1');
  });

  it('tries a version again that has failed, also from the same files', async () => {
    const loader = aLoader();
    const failed = loader.apply(described([1]));
    failed.catch(() => undefined);
    await loads.fail('m:1', new RuntimeError('INTERNAL', 'no'));
    await expect(failed).rejects.toThrow('version 1 is at UNAVAILABLE state: Internal: no;');

    await serve(loader, described([1]));

    expect(states()).toEqual(['1 READY']);
  });

  it('waits for all versions before it gives up, and names each that failed', async () => {
    const loader = aLoader();

    const applied = loader.apply(described([1, 2, 3]));
    let given = false;
    const outcome = applied.catch((error: unknown) => {
      given = true;
      return error;
    });
    await loads.fail('m:1', new RuntimeError('INVALID_ARGUMENT', 'first'));
    await loads.succeed('m:2');
    expect([given, loads.log.includes('close m:2')]).toEqual([false, false]);
    await loads.fail('m:3', new TypeError('third'));

    expect(await outcome).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message:
        "load failed for model 'm': version 1 is at UNAVAILABLE state: Invalid argument: first; version 3 is at UNAVAILABLE state: Internal: third;\n",
    });
    expect(states()).toEqual([
      '1 UNAVAILABLE Invalid argument: first',
      '2 UNAVAILABLE unloaded',
      '3 UNAVAILABLE Internal: third',
    ]);
    expect(loads.log.filter((line) => line.startsWith('close'))).toEqual(['close m:2']);
    expect(observed).toContain('failed m:3 INTERNAL third');
  });

  it('keeps every old version when one new version fails', async () => {
    const loader = aLoader();
    await serve(loader, described([1, 2]));

    const applied = loader.apply(described([2, 3], { stamp: 'b' }));
    applied.catch(() => undefined);
    await loads.succeed('m:2');
    await loads.fail('m:3', new RuntimeError('INTERNAL', 'no'));

    await expect(applied).rejects.toThrow('version 3');
    expect(registry.readyVersions('m').map(({ version }) => version)).toEqual([1, 2]);
    expect(registry.acquire('m', '').model.version).toBe(2);
  });

  it('unloads every version, and waits for nobody', async () => {
    const loader = aLoader();
    await serve(loader, described([1, 2]));
    const handle = registry.acquire('m', '1');

    void loader.unload('m');

    expect(states()).toEqual(['1 UNLOADING', '2 UNLOADING']);
    expect(() => registry.acquire('m', '')).toThrow('has no available versions');
    handle.release();
    await loader.retired();
    expect(states()).toEqual(['1 UNAVAILABLE unloaded', '2 UNAVAILABLE unloaded']);
  });

  it('takes the unload of what does not serve for done', () => {
    let changes = 0;
    registry.onChange(() => changes++);

    void aLoader().unload('nosuch');

    expect(changes).toBe(0);
  });

  it('has a version gone even if it could not be closed, and warns', async () => {
    const loader = aLoader();
    await serve(loader, described([1]));
    loads.breakClosing('m:1');

    void loader.unload('m');
    await loader.retired();

    expect(states()).toEqual(['1 UNAVAILABLE unloaded']);
    expect(observed.slice(-2)).toEqual(['m: unloading failed: the thread is gone', 'unloaded m:1']);
  });

  it('has nothing to wait for when nothing leaves', async () => {
    const loader = aLoader();
    await serve(loader, described([1]));

    await loader.retired();

    expect(states()).toEqual(['1 READY']);
  });

  it('says what failed although what was made with it cannot be closed', async () => {
    const loader = aLoader();
    loads.breakClosing('m:1');

    const applied = loader.apply(described([1, 2]));
    applied.catch(() => undefined);
    await loads.succeed('m:1');
    await loads.fail('m:2', new RuntimeError('INTERNAL', 'no'));

    await expect(applied).rejects.toThrow('version 2 is at UNAVAILABLE state: Internal: no;');
    expect(states()).toEqual(['1 UNAVAILABLE unloaded', '2 UNAVAILABLE Internal: no']);
  });
});
