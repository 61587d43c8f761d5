// What load calls bring themselves, in place of what lies in the repository.

import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigProblem } from '../config/config-problem.js';
import { RuntimeError } from '../core/errors.js';
import type { LoadOverride } from '../core/model-control.js';
import { PuppetLoads, TestRepository, silentObserver } from '../testing/model-directory.js';
import { holdOverrideFiles } from './load-layers.js';
import { ModelLoader } from './model-loader.js';
import { ModelManager } from './model-manager.js';
import { ModelRegistry } from './model-registry.js';

let repository: TestRepository;
let loads: PuppetLoads;
let registry: ModelRegistry;
let manager: ModelManager;
let unreadable: string[];
/** Directories of overrides that were there before. */
let before: readonly string[];

beforeEach(async () => {
  repository = await TestRepository.create();
  loads = new PuppetLoads();
  registry = new ModelRegistry();
  unreadable = [];
  const observer = {
    ...silentObserver,
    modelUnreadable: (name: string, problems: readonly ConfigProblem[]) =>
      void unreadable.push(...problems.map(({ path, message }) => `${name} ${path}: ${message}`)),
  };
  const loadVersion = holdOverrideFiles(loads.loadVersion);
  manager = new ModelManager(
    { repositories: [repository.path], controlMode: 'explicit', hasGpu: false },
    {
      registry,
      loader: new ModelLoader({ registry, loadVersion, observer }, 4),
      observer,
    },
  );
  before = await overrideDirectories();
});

afterEach(async () => {
  await manager.stop();
  await repository.remove();
});

async function overrideDirectories(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('inferd-override-'));
}

/** How many directories of overrides lie there. */
async function kept(): Promise<number> {
  return (await overrideDirectories()).filter((name) => !before.includes(name)).length;
}

function withConfig(config: object | string): LoadOverride {
  return {
    config: typeof config === 'string' ? config : JSON.stringify(config),
    files: new Map(),
  };
}

function withFiles(config?: object, version = 1): LoadOverride {
  const files = new Map([[`${version}/model.onnx`, Buffer.from('a model')]]);
  return config ? { ...withConfig(config), files } : { files };
}

const POLL_FAILED = "failed to load 'm', failed to poll from model repository";

describe('a load call with a configuration', () => {
  it('serves the files of the repository by it, until the next load without one', async () => {
    await repository.model('m', [1, 2]);

    await manager.load('m', withConfig({ version_policy: { specific: { versions: [1] } } }));
    expect(registry.readyVersions('m').map(({ version }) => version)).toEqual([1]);
    await manager.load('m');

    expect(registry.readyVersions('m').map(({ version }) => version)).toEqual([2]);
  });

  it('does nothing when it says what is in force', async () => {
    await repository.model('m', [1]);
    await manager.load('m', withConfig({ max_batch_size: 2 }));

    await manager.load('m', withConfig({ maxBatchSize: 2 }));

    expect(loads.log).toEqual(['load m:1']);
  });

  it.each([
    ['not json', ['m : the configuration is not JSON']],
    [{ max_batch_size: 'x', inputs: [] }, ['m max_batch_size: ', 'm inputs: ']],
    [{ max_batch_size: -1, name: 'other' }, ['m name: ', 'm max_batch_size: ']],
  ])('is refused with Triton’s text, and every problem is told: %j', async (config, problems) => {
    await repository.model('m', [1]);

    await expect(manager.load('m', withConfig(config))).rejects.toMatchObject({
      code: 'INTERNAL',
      message: POLL_FAILED,
    });

    expect(unreadable).toEqual(
      problems.map((problem) => expect.stringContaining(problem) as unknown),
    );
  });

  it('needs a model in the repository', async () => {
    await expect(manager.load('m', withConfig({}))).rejects.toThrow(POLL_FAILED);
  });
});

describe('a load call with files', () => {
  it('serves them alone, and keeps them as long as they serve', async () => {
    await repository.model('m', [1, 2]);
    await manager.load('m');

    await manager.load('m', withFiles({ max_batch_size: 2 }, 7));
    expect(registry.readyVersions('m').map(({ version }) => version)).toEqual([7]);
    expect(await kept()).toBe(1);
    await manager.load('m');
    await manager.stop();

    expect(loads.log).toEqual([
      'load m:2',
      'load m:7',
      'close m:2',
      'load m:2',
      'close m:7',
      'close m:2',
    ]);
    expect(await kept()).toBe(0);
  });

  it('keeps them for requests under way', async () => {
    await manager.load('m', withFiles({}));
    const handle = registry.acquire('m', '');
    await manager.unload('m');
    expect(await kept()).toBe(1);

    handle.release();
    await manager.stop();

    expect(await kept()).toBe(0);
  });

  it('makes a model of a new name, which is in the index', async () => {
    await manager.load('new', withFiles({ backend: 'onnxruntime' }));

    expect(await manager.index({ readyOnly: true })).toMatchObject([
      { name: 'new', version: 1, state: 'READY' },
    ]);
  });

  it('needs a configuration', async () => {
    await repository.model('m', [1]);

    await expect(manager.load('m', withFiles())).rejects.toMatchObject({
      code: 'INTERNAL',
      message: POLL_FAILED,
    });

    expect(unreadable).toEqual(["m : load parameters 'file:…' need the parameter 'config'"]);
  });

  it('is refused when a file would lie outside', async () => {
    const files = new Map([['../../x', Buffer.of()]]);

    await expect(manager.load('m', { config: '{}', files })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it.each([
    ['cannot be loaded', {}],
    ['have a configuration that is wrong', { max_batch_size: -1 }],
    ['have no version to serve', { version_policy: { specific: { versions: [9] } } }],
  ])('leaves nothing behind of files that %s', async (_what, config) => {
    loads.broken.set('m:1', new RuntimeError('INTERNAL', 'no model'));

    await expect(manager.load('m', withFiles(config))).rejects.toThrow("'m'");

    expect(await kept()).toBe(0);
  });
});
