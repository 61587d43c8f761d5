// What poll mode asks of the manager.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PuppetLoads, TestRepository, silentObserver } from '../testing/model-directory.js';
import { ModelLoader } from './model-loader.js';
import { ModelManager } from './model-manager.js';
import { ModelRegistry } from './model-registry.js';

let repository: TestRepository;
let registry: ModelRegistry;

beforeEach(async () => {
  repository = await TestRepository.create();
  registry = new ModelRegistry();
});

afterEach(async () => {
  await repository.remove();
});

function aManager(): ModelManager {
  const { loadVersion } = new PuppetLoads();
  const loader = new ModelLoader({ registry, loadVersion, observer: silentObserver }, 4);
  return new ModelManager(
    { repositories: [repository.path], controlMode: 'poll', hasGpu: false },
    { registry, loader, observer: silentObserver },
  );
}

async function indexOf(manager: ModelManager): Promise<string[]> {
  const entries = await manager.index({ readyOnly: false });
  return entries.map(({ name, version, state, reason }) =>
    [name, version, state, reason].filter(Boolean).join(' '),
  );
}

describe('ModelManager, told of changes of the repositories,', () => {
  it('takes up a model that appears', async () => {
    const manager = aManager();
    await manager.start('all');
    await repository.model('m', [1]);

    await manager.follow('m');

    expect(await indexOf(manager)).toEqual(['m 1 READY']);
  });

  it('is not ready while there is a model that cannot be read', async () => {
    const manager = aManager();
    await manager.start('all');
    await repository.model('m', [1], 'max_batch_size: eight');
    await expect(manager.follow('m')).rejects.toThrow('failed to poll');
    expect(manager.isReady()).toBe(false);

    await repository.remove('m');
    await manager.forget('m');

    expect(manager.isReady()).toBe(true);
  });

  it('forgets a model that is gone when nobody uses it any more', async () => {
    await repository.model('m', [1]);
    await repository.model('n', [1]);
    const manager = aManager();
    await manager.start('all');
    const handle = registry.acquire('m', '');

    await repository.remove('m');
    const unloading = new Promise<void>((resolve) => registry.onChange(resolve));
    const forgotten = manager.forget('m');
    await unloading;
    expect(registry.lifecycles('m')).toMatchObject([{ publicState: { state: 'UNLOADING' } }]);
    expect(await indexOf(manager)).toEqual(['n 1 READY']);
    handle.release();
    await forgotten;

    expect(await indexOf(manager)).toEqual(['n 1 READY']);
    expect(() => registry.acquire('m', '')).toThrow("'m' has no available versions");
    expect([manager.isReady(), manager.isListed('m')]).toEqual([true, false]);
  });

  it('keeps a model that has come back before the old one had left', async () => {
    await repository.model('m', [1]);
    const manager = aManager();
    await manager.start('all');
    const handle = registry.acquire('m', '');
    await repository.remove('m');
    const forgotten = manager.forget('m');

    await repository.model('m', [1]);
    await manager.follow('m');
    handle.release();
    await forgotten;

    expect(await indexOf(manager)).toEqual(['m 1 READY']);
  });
});
