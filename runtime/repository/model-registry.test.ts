import { describe, expect, it } from 'vitest';
import { described } from '../testing/gated-loads.js';
import { RuntimeError } from '../core/errors.js';
import { PuppetLoads } from '../testing/model-directory.js';
import { ModelLifecycle } from './model-lifecycle.js';
import { ModelRegistry } from './model-registry.js';
import { ServingVersion } from './servable-handle.js';

const SOURCE = { fingerprint: '', inPlace: '' };

async function serve(
  registry: ModelRegistry,
  name: string,
  version: number,
): Promise<ModelLifecycle> {
  const description = described([version], { name });
  const loaded = await new PuppetLoads().loadVersion(description, version);
  const lifecycle = new ModelLifecycle(version, SOURCE);
  lifecycle.transition({ kind: 'loading' });
  lifecycle.transition({ kind: 'ready', serving: new ServingVersion(loaded, description) });
  registry.put(name, lifecycle);
  registry.changed(name);
  return lifecycle;
}

describe('ModelRegistry', () => {
  it('finds the latest version, or the one that is named', async () => {
    const registry = new ModelRegistry();
    for (const version of [2, 10, 1]) await serve(registry, 'm', version);

    expect(registry.acquire('m', '').model.version).toBe(10);
    expect(registry.acquire('m', '2').model.version).toBe(2);
    expect(registry.readyVersions('m').map(({ version }) => version)).toEqual([1, 2, 10]);
  });

  it('does not know a model again that was forgotten, when its last version leaves', async () => {
    const registry = new ModelRegistry();
    await serve(registry, 'm', 1);

    registry.forget('m');
    registry.changed('m');

    expect(registry.names()).toEqual([]);
  });

  it.each([
    ['nosuch', '', 'NOT_FOUND', "Request for unknown model: 'nosuch' is not found"],
    ['nosuch', '3', 'NOT_FOUND', "Request for unknown model: 'nosuch' is not found"],
    ['m', '7', 'NOT_FOUND', "Request for unknown model: 'm' version 7 is not found"],
    ['m', '0', 'NOT_FOUND', "Request for unknown model: 'm' version 0 is not found"],
    ['m', '2', 'MODEL_NOT_READY', "Request for unknown model: 'm' version 2 is not at ready state"],
    ['tried', '', 'NOT_FOUND', "Request for unknown model: 'tried' has no available versions"],
  ])('does not find %s version %j', async (name, version, code, message) => {
    const registry = new ModelRegistry();
    await serve(registry, 'm', 1);
    registry.put('m', new ModelLifecycle(2, SOURCE));
    registry.know('tried');

    expect(() => registry.acquire(name, version)).toThrow(new RuntimeError(code as never, message));
    expect(registry.isReady(name, version)).toBe(false);
  });

  it('knows of a model that is forgotten only that it was there once', async () => {
    const registry = new ModelRegistry();
    await serve(registry, 'm', 1);

    registry.forget('m');

    expect([registry.names(), registry.isKnown('m')]).toEqual([[], false]);
    for (const version of ['', '1'])
      expect(() => registry.acquire('m', version)).toThrow("'m' has no available versions");
    await serve(registry, 'm', 2);
    expect(() => registry.acquire('m', '1')).toThrow("'m' version 1 is not found");
  });

  it('tells its listeners of changes until they leave', async () => {
    const registry = new ModelRegistry();
    let changes = 0;

    const leave = registry.onChange(() => changes++);
    await serve(registry, 'm', 1);
    leave();
    await serve(registry, 'm', 2);

    expect(changes).toBe(1);
  });
});

describe('ServingVersion', () => {
  it('is closed when the last user has left', async () => {
    const loads = new PuppetLoads();
    const serving = new ServingVersion(await loads.loadVersion(described([1]), 1), described([1]));

    serving.acquire();
    serving.acquire();
    const retired = serving.retire();
    serving.release();
    expect(loads.log).toEqual(['load m:1']);

    serving.release();
    await retired;
    expect(loads.log).toEqual(['load m:1', 'close m:1']);
  });

  it('notices when it is released too often', async () => {
    const serving = new ServingVersion(
      await new PuppetLoads().loadVersion(described([1]), 1),
      described([1]),
    );

    expect(() => serving.release()).toThrow('This is a bug.');
  });
});
