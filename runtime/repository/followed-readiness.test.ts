// Who watches the health of the server looks at it when the registry says that something has changed. What is last seen then
// must be what is.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PuppetLoads, TestRepository, silentObserver } from '../testing/model-directory.js';
import { ModelLoader } from './model-loader.js';
import { ModelManager } from './model-manager.js';
import { ModelRegistry } from './model-registry.js';

let repository: TestRepository;
let loads: PuppetLoads;
let manager: ModelManager;
/** Whether the server was ready, each time somebody was told to look. */
let seen: boolean[];
let loadBegins: () => void;

beforeEach(async () => {
  repository = await TestRepository.create();
  loads = new PuppetLoads();
  const registry = new ModelRegistry();
  loadBegins = () => undefined;
  const observer = { ...silentObserver, versionLoading: () => loadBegins() };
  const loader = new ModelLoader({ registry, loadVersion: loads.loadVersion, observer }, 4);
  manager = new ModelManager(
    { repositories: [repository.path], controlMode: 'explicit', hasGpu: false },
    { registry, loader, observer },
  );
  seen = [];
  registry.onChange(() => void seen.push(manager.isReady()));
});

afterEach(async () => {
  await repository.remove();
});

describe('who follows the registry', () => {
  it('sees the server become ready with its models', async () => {
    await repository.model('m', [1]);

    await manager.start(['m']);

    expect([seen.at(-1), manager.isReady()]).toEqual([true, true]);
  });

  it('sees that it stays ready when a model is unloaded', async () => {
    await repository.model('m', [1]);
    await manager.start(['m']);

    await manager.unload('m');
    await manager.stop();

    expect([seen.at(-1), manager.isReady()]).toEqual([true, true]);
  });

  it('sees it become ready with a model that could not be read at the start', async () => {
    await repository.model('m', [1], 'max_batch_size: eight');
    await manager.start(['m']);
    expect(manager.isReady()).toBe(false);

    await repository.write('m/config.pbtxt', 'max_batch_size: 8');
    await manager.load('m');

    expect(manager.isReady()).toBe(true);
    expect(seen.at(-1)).toBe(true);
  });

  it('sees that it is not ready while a model loads for the first time', async () => {
    await repository.model('m', [1]);
    await manager.start([]);
    let open = (): void => undefined;
    loads.gate = new Promise((resolve) => (open = resolve));
    const begun = new Promise<void>((resolve) => (loadBegins = resolve));

    const loaded = manager.load('m');
    await begun;
    const [is, last] = [manager.isReady(), seen.at(-1)];
    open();
    await loaded;

    expect(is).toBe(false);
    expect(last).toBe(false);
  });
});
