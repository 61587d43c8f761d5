import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigProblem } from '../config/config-problem.js';
import { RuntimeError } from '../core/errors.js';
import { PuppetLoads, TestRepository, silentObserver } from '../testing/model-directory.js';
import { ModelLoader } from './model-loader.js';
import { ModelManager, type ModelManagerOptions } from './model-manager.js';
import { ModelRegistry } from './model-registry.js';

let repository: TestRepository;
let loads: PuppetLoads;
let registry: ModelRegistry;
let unreadable: Map<string, readonly ConfigProblem[]>;

beforeEach(async () => {
  repository = await TestRepository.create();
  loads = new PuppetLoads();
  registry = new ModelRegistry();
  unreadable = new Map();
});

afterEach(async () => {
  await repository.remove();
});

function aManager(options: Partial<ModelManagerOptions> = {}): ModelManager {
  const observer = {
    ...silentObserver,
    modelLoading: (name: string) => void unreadable.delete(name),
    modelUnreadable: (name: string, problems: readonly ConfigProblem[]) =>
      void unreadable.set(name, problems),
  };
  const loader = new ModelLoader({ registry, loadVersion: loads.loadVersion, observer }, 4);
  return new ModelManager(
    { repositories: [repository.path], controlMode: 'explicit', hasGpu: false, ...options },
    { registry, loader, observer },
  );
}

function readyVersions(name: string): number[] {
  return registry.readyVersions(name).map(({ version }) => version);
}

async function indexOf(manager: ModelManager): Promise<string[]> {
  const entries = await manager.index({ readyOnly: false });
  return entries.map(({ name, version, state, reason }) =>
    [name, version, state, reason].filter(Boolean).join(' '),
  );
}

async function loadFailures(manager: ModelManager): Promise<(string | undefined)[]> {
  const entries = await manager.index({ readyOnly: false });
  return entries.map(({ loadFailure }) => loadFailure);
}

const broken = new RuntimeError('INTERNAL', 'onnx runtime error: no model');

describe('ModelManager', () => {
  it('loads every model at the start', async () => {
    await repository.model('a', [1]);
    await repository.model('b', [1, 2], 'version_policy { all { } }');
    const manager = aManager({ controlMode: 'none' });

    const failures = await manager.start('all');

    expect(failures.size).toBe(0);
    expect([readyVersions('a'), readyVersions('b')]).toEqual([[1], [1, 2]]);
    expect(manager.isReady()).toBe(true);
  });

  it('says of a name at the start that it is nowhere', async () => {
    const failures = await aManager().start(['typo']);

    expect([...failures.keys()]).toEqual(['typo']);
    expect(unreadable.get('typo')).toEqual([
      { path: '', message: 'no model repository has a directory of that name' },
    ]);
  });

  it('loads only what is named, and lists the rest by name', async () => {
    await repository.model('a', [1]);
    await repository.model('b', [1]);
    const manager = aManager();

    await manager.start(['a']);

    expect(await indexOf(manager)).toEqual(['a 1 READY', 'b']);
    expect(await manager.index({ readyOnly: true })).toHaveLength(1);
  });

  it('serves the other models when one cannot be loaded, and says why', async () => {
    await repository.model('good', [1]);
    await repository.model('bad', [1]);
    await repository.model('worse', [1], 'max_batch_size: eight');
    loads.broken.set('bad:1', broken);
    const manager = aManager({ controlMode: 'none' });

    const failures = await manager.start('all');

    expect([...failures.keys()].sort()).toEqual(['bad', 'worse']);
    expect(await indexOf(manager)).toEqual([
      'bad 1 UNAVAILABLE Internal: onnx runtime error: no model',
      'good 1 READY',
      'worse',
    ]);
    expect(unreadable.get('worse')).toMatchObject([
      { line: 1, column: 17, path: 'max_batch_size' },
    ]);
    expect(manager.isReady()).toBe(false);
  });

  it('reports every problem of a configuration', async () => {
    await repository.model(
      'm',
      [1],
      'max_batch_size: -1 dynamic_batching { preferred_batch_size: [ 0 ] }',
    );
    const manager = aManager();
    await manager.start([]);

    await expect(manager.load('m')).rejects.toThrow(
      "failed to load 'm', failed to poll from model repository",
    );

    expect(unreadable.get('m')?.map(({ path }) => path)).toEqual([
      'max_batch_size',
      'dynamic_batching.preferred_batch_size[0]',
    ]);
  });

  it.each([
    ['', 'INVALID_ARGUMENT', 'Model name cannot be empty. Please enter a valid name to deploy.'],
    [
      '../m',
      'INVALID_ARGUMENT',
      "invalid model name '../m', model name must not contain path traversal characters",
    ],
    ['nosuch', 'INTERNAL', "failed to load 'nosuch', failed to poll from model repository"],
  ])('refuses to load %j', async (name, code, message) => {
    const manager = aManager();
    await manager.start([]);

    await expect(manager.load(name)).rejects.toMatchObject({ code, message });
  });

  it('refuses control outside explicit mode', async () => {
    await repository.model('m', [1]);
    const manager = aManager({ controlMode: 'none' });
    await manager.start('all');

    for (const operation of [manager.load('m'), manager.unload('m')])
      await expect(operation).rejects.toMatchObject({ code: 'CONTROL_REFUSED' });
    expect(readyVersions('m')).toEqual([1]);
  });

  it('looks for the one model that is asked for, and knows then whether it is there', async () => {
    const manager = aManager();
    await manager.start([]);
    await repository.model('m', [1]);
    await repository.model('other', [1]);

    await manager.load('m');
    expect([manager.isListed('m'), manager.isListed('other')]).toEqual([true, false]);
    await repository.remove('m');
    await expect(manager.load('m')).rejects.toThrow('failed to poll');

    expect(manager.isListed('m')).toBe(false);
  });

  it('says when a repository cannot be read', async () => {
    const manager = aManager();
    await manager.start([]);
    await repository.remove();

    await expect(manager.load('m')).rejects.toThrow('cannot be read: there is no such directory');
    await repository.write('again');
  });

  it('changes instance groups in place', async () => {
    await repository.model('m', [1], 'instance_group [ { count: 1 } ]');
    const manager = aManager();
    await manager.start(['m']);

    await repository.write('m/config.pbtxt', 'instance_group [ { count: 3 } ]');
    await manager.load('m');

    expect(loads.log).toEqual(['load m:1', 'update m:1']);
    expect(registry.acquire('m', '').model.configMessage).toMatchObject({
      instance_group: [{ count: 3 }],
    });
  });

  it('does nothing when a model is loaded that has not changed', async () => {
    await repository.model('m', [1]);
    const manager = aManager();
    await manager.start(['m']);

    await manager.load('m');

    expect(loads.log).toEqual(['load m:1']);
  });

  it('replaces a version whose files have changed, the new one first', async () => {
    await repository.model('m', [1]);
    const manager = aManager();
    await manager.start(['m']);

    await repository.write('m/1/model.onnx', 'changed');
    await manager.load('m');

    expect(loads.log).toEqual(['load m:1', 'load m:1', 'close m:1']);
    expect(readyVersions('m')).toEqual([1]);
  });

  it('takes up a new version and lets the old one go', async () => {
    await repository.model('m', [1]);
    const manager = aManager();
    await manager.start(['m']);

    await repository.model('m', [2]);
    await manager.load('m');
    await manager.stop();

    expect(loads.log).toEqual(['load m:1', 'load m:2', 'close m:1', 'close m:2']);
  });

  it('lets requests under way finish before a version leaves', async () => {
    await repository.model('m', [1]);
    const manager = aManager();
    await manager.start(['m']);
    const handle = registry.acquire('m', '');

    await manager.unload('m');
    expect(await indexOf(manager)).toEqual(['m 1 UNLOADING']);
    expect(() => registry.acquire('m', '')).toThrow("'m' has no available versions");

    handle.release();
    await manager.stop();
    expect(await indexOf(manager)).toEqual(['m 1 UNAVAILABLE unloaded']);
    expect(manager.isReady()).toBe(true);
  });

  it('keeps what serves when a reload fails', async () => {
    await repository.model('m', [1]);
    const manager = aManager();
    await manager.start(['m']);
    await repository.write('m/1/model.onnx', 'changed');
    loads.broken.set('m:1', broken);

    await expect(manager.load('m')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message:
        "load failed for model 'm': version 1 is at UNAVAILABLE state: Internal: onnx runtime error: no model;\n",
    });

    expect(await indexOf(manager)).toEqual(['m 1 READY']);
    expect(readyVersions('m')).toEqual([1]);
    expect(await loadFailures(manager)).toEqual(['Internal: onnx runtime error: no model']);
  });

  it('says why a model serves what it served before, until a load succeeds', async () => {
    await repository.model('m', [1], 'max_batch_size: 1');
    const manager = aManager();
    await manager.start(['m']);

    await repository.write('m/config.pbtxt', 'max_batch_size: -1 name: "x"');
    await expect(manager.load('m')).rejects.toThrow('failed to poll');
    expect(await loadFailures(manager)).toEqual([
      expect.stringMatching(/^name: .*; max_batch_size: /),
    ]);
    await repository.write('m/config.pbtxt', 'max_batch_size: 1');
    await manager.load('m');

    expect(await loadFailures(manager)).toEqual([undefined]);
    expect(loads.log).toEqual(['load m:1']);
  });

  it('says why a model was never loaded', async () => {
    await repository.model('m', [1], 'max_batch_size: eight');
    const manager = aManager();

    await manager.start(['m']);

    expect(await manager.index({ readyOnly: false })).toEqual([
      {
        name: 'm',
        state: '',
        reason: '',
        loadFailure: expect.stringMatching(/^config\.pbtxt:1:17: max_batch_size: /) as string,
      },
    ]);
  });

  it('shows in the index what has a directory now, whatever serves', async () => {
    await repository.model('kept', [1]);
    await repository.model('gone', [1]);
    const manager = aManager();
    await manager.start('all');

    await repository.remove('gone');
    await repository.model('new', [1]);

    expect(await indexOf(manager)).toEqual(['kept 1 READY', 'new']);
    expect(readyVersions('gone')).toEqual([1]);
    await expect(manager.load('gone')).rejects.toThrow("failed to load 'gone'");
    expect(readyVersions('gone')).toEqual([1]);
  });

  it('serves version 0', async () => {
    await repository.model('m', [0]);
    const manager = aManager();

    await manager.load('m');

    expect(await manager.index({ readyOnly: true })).toMatchObject([{ name: 'm', version: 0 }]);
    registry.acquire('m', '0').release();
  });

  it('serves no version of a first load of which one fails', async () => {
    await repository.model('m', [1, 2], 'version_policy { all { } }');
    loads.broken.set('m:2', broken);
    const manager = aManager();
    await manager.start([]);

    await expect(manager.load('m')).rejects.toThrow('version 2 is at UNAVAILABLE state');

    expect(await indexOf(manager)).toEqual([
      'm 1 UNAVAILABLE unloaded',
      'm 2 UNAVAILABLE Internal: onnx runtime error: no model',
    ]);
    expect(loads.log).toContain('close m:1');
    expect(manager.isReady()).toBe(false);
  });

  it('refuses a model without a version to serve', async () => {
    await repository.model('m', [1], 'version_policy { specific { versions: 7 } }');
    const manager = aManager();
    await manager.start([]);

    await expect(manager.load('m')).rejects.toThrow(
      "load failed for model 'm': at least one version must be available under the version policy of model 'm'\n",
    );
  });

  it('refuses a model that is in two repositories', async () => {
    const second = await TestRepository.create();
    await repository.model('m', [1]);
    await second.model('m', [1]);
    const manager = aManager({ repositories: [repository.path, second.path] });

    const failures = await manager.start(['m']);

    expect(failures.has('m')).toBe(true);
    expect(await indexOf(manager)).toEqual([
      'm UNAVAILABLE model appears in two or more repositories',
    ]);
    await second.remove();
  });

  it('carries out what is asked of one model in the order in which it was asked', async () => {
    await repository.model('m', [1]);
    const manager = aManager();
    await manager.start([]);

    await Promise.all([manager.load('m'), manager.unload('m'), manager.load('m')]);
    await manager.stop();

    expect(loads.log).toEqual(['load m:1', 'close m:1', 'load m:1', 'close m:1']);
  });

  it('takes the unload of something unknown for done', async () => {
    const manager = aManager();
    await manager.start([]);

    await expect(manager.unload('nosuch')).resolves.toBeUndefined();
  });
});
