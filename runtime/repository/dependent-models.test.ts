// Models that ask others, as the model manager keeps them in step with those.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigProblem } from '../config/config-problem.js';
import { RuntimeError } from '../core/errors.js';
import { PuppetLoads, TestRepository, silentObserver } from '../testing/model-directory.js';
import type { ModelDescription } from './model-description.js';
import { ModelLoader } from './model-loader.js';
import { ModelManager, type ModelManagerOptions } from './model-manager.js';
import { ModelRegistry } from './model-registry.js';

let repository: TestRepository;
let loads: PuppetLoads;
let registry: ModelRegistry;
let told: string[];
let checkParts: (description: ModelDescription) => void;

beforeEach(async () => {
  repository = await TestRepository.create();
  loads = new PuppetLoads();
  registry = new ModelRegistry();
  told = [];
  checkParts = () => undefined;
});

afterEach(() => repository.remove());

function aManager(controlMode: ModelManagerOptions['controlMode'] = 'explicit'): ModelManager {
  const observer = {
    ...silentObserver,
    modelUnreadable: (name: string, problems: readonly ConfigProblem[]) =>
      void told.push(`${name}: ${problems.map(({ message }) => message).join('; ')}`),
  };
  const loader = new ModelLoader({ registry, loadVersion: loads.loadVersion, observer }, 4);
  return new ModelManager(
    { repositories: [repository.path], controlMode, hasGpu: false },
    { registry, loader, observer, checkParts: (description) => checkParts(description) },
  );
}

/** Of the names, those that serve. */
function serving(...names: string[]): string[] {
  return names.filter((name) => registry.isReady(name, ''));
}

async function pipeline(): Promise<ModelManager> {
  await repository.model('p', [1]);
  await repository.model('q', [1]);
  await repository.ensemble('inner', ['p']);
  await repository.ensemble('outer', ['inner', 'q']);
  return aManager();
}

describe('a whole in explicit mode', () => {
  it('that cannot serve is told of once, however often its parts are loaded, and again when it is loaded itself', async () => {
    const manager = await pipeline();
    checkParts = ({ name }) => {
      if (name === 'inner') throw new RuntimeError('INVALID_ARGUMENT', 'does not fit');
    };

    await expect(manager.load('inner')).rejects.toThrow('does not fit');
    await manager.unload('p');
    await manager.load('p');
    await manager.unload('p');
    await manager.load('p');
    const before = told.filter((text) => text === 'inner: does not fit').length;
    await expect(manager.load('inner')).rejects.toThrow('does not fit');

    expect(before).toBe(1);
    expect(told.filter((text) => text === 'inner: does not fit')).toHaveLength(2);
  });

  it('is loaded with all that it asks, parts first', async () => {
    const manager = await pipeline();

    await manager.load('outer');

    expect(serving('p', 'q', 'inner', 'outer')).toEqual(['p', 'q', 'inner', 'outer']);
    expect(loads.log.indexOf('load p:1')).toBeLessThan(loads.log.indexOf('load inner:1'));
    expect(loads.log.at(-1)).toBe('load outer:1');
    expect(told).toEqual([]);
  });

  it('leaves before a part does, and comes back with it', async () => {
    const manager = await pipeline();
    await manager.load('outer');
    loads.log.length = 0;

    await manager.unload('p');
    const without = serving('p', 'q', 'inner', 'outer');
    await manager.load('p');

    expect(without).toEqual(['q']);
    expect(loads.log).toEqual([
      ...['close outer:1', 'close inner:1', 'close p:1'],
      ...['load p:1', 'load inner:1', 'load outer:1'],
    ]);
    expect(serving('p', 'q', 'inner', 'outer')).toHaveLength(4);
    expect(told).toEqual([]);
  });

  it('has its requests answered before a part leaves', async () => {
    const manager = await pipeline();
    await manager.load('outer');
    const handle = registry.acquire('outer', '');
    let isGone = false;

    const unloaded = manager.unload('p').then(() => (isGone = true));
    // An operation of a model that has nothing to do with it is not held up.
    await manager.unload('nosuch');

    expect([isGone, serving('p', 'inner', 'outer')]).toEqual([false, ['p', 'inner']]);
    handle.release();
    await unloaded;
    expect(serving('p', 'inner', 'outer')).toEqual([]);
  });

  it('keeps the order of what is asked: a part unloaded and loaded at once serves', async () => {
    const manager = await pipeline();
    await manager.load('outer');
    const handle = registry.acquire('outer', '');

    const both = Promise.all([manager.unload('p'), manager.load('p')]);
    handle.release();
    await both;

    expect(serving('p', 'inner', 'outer')).toEqual(['p', 'inner', 'outer']);
  });

  it('stays away when it was unloaded itself', async () => {
    const manager = await pipeline();
    await manager.load('outer');

    await manager.unload('outer');
    await manager.unload('p');
    await manager.load('p');

    expect(serving('p', 'inner', 'outer')).toEqual(['p', 'inner']);
  });

  it('takes its parts along, and theirs, except those that others ask', async () => {
    const manager = await pipeline();
    await repository.ensemble('other', ['q']);
    await manager.load('outer');
    await manager.load('other');

    await manager.unload('outer', { withParts: true });

    expect(serving('p', 'q', 'inner', 'outer', 'other')).toEqual(['q', 'other']);
  });

  it('leaves when the instances of a part are lost', async () => {
    const manager = await pipeline();
    await manager.load('outer');

    loads.lose.get('p:1')?.(new RuntimeError('BACKEND_LOST', 'its thread kept dying'));
    await manager.unload('nosuch');
    await expect.poll(() => serving('p', 'inner', 'outer')).toEqual([]);

    expect(told[0]).toBe(
      "inner: ensemble 'inner' depends on 'p' which has no loaded version. Model 'p' loading failed with error: " +
        'version 1 is at UNAVAILABLE state: Unavailable: its thread kept dying;',
    );
    await manager.load('p');
    expect(serving('p', 'inner', 'outer')).toEqual(['p', 'inner', 'outer']);
  });

  it('is not loaded anew when a part is, unless the tensors of the part have changed', async () => {
    const manager = await pipeline();
    await manager.load('inner');
    loads.log.length = 0;

    await repository.model('p', [1, 2]);
    await manager.load('p');

    expect(loads.log).toEqual(['load p:2', 'close p:1']);
  });

  it('leaves when a part does not fit it any more, and says why', async () => {
    const manager = await pipeline();
    await manager.load('outer');

    checkParts = ({ name }) => {
      if (name === 'inner') throw new RuntimeError('INVALID_ARGUMENT', 'it does not fit');
    };
    await manager.load('p');

    expect(serving('p', 'q', 'inner', 'outer')).toEqual(['p', 'q']);
    expect(told).toEqual([
      'inner: it does not fit',
      "outer: ensemble 'outer' depends on 'inner' which has no loaded version. Model 'inner' loading failed with error: " +
        'it does not fit',
    ]);
    checkParts = () => undefined;
    await manager.load('p');
    expect(serving('p', 'q', 'inner', 'outer')).toHaveLength(4);
  });

  it('serves as it was while a newer state of it cannot be served, and leaves with what it asks as it was', async () => {
    const manager = await pipeline();
    await manager.load('inner');
    await repository.ensemble('inner', ['q', 'nosuch']);
    await expect(manager.load('inner')).rejects.toThrow('nosuch');

    await manager.load('q');
    expect(serving('inner')).toEqual(['inner']);
    await manager.unload('p');
    expect(serving('inner')).toEqual([]);
    await repository.model('nosuch', [1]);
    await manager.load('nosuch');
    expect(serving('inner')).toEqual(['inner']);
  });

  it('comes back after a load call that brought its files', async () => {
    const manager = await pipeline();
    const files = new Map([['1/note.txt', new Uint8Array(1)]]);
    await manager.load('inner', { config: JSON.stringify(await configOf('inner')), files });

    await manager.unload('p');
    await manager.load('p');

    expect([serving('inner'), told]).toEqual([['inner'], []]);
    await manager.stop();
  });
});

/** In the JSON of a load call. */
function configOf(name: string): Promise<unknown> {
  const tensor = (of: string): unknown => ({ name: of, dataType: 'TYPE_FP32', dims: [1] });
  return Promise.resolve({
    ...{ name, platform: 'ensemble', input: [tensor('I')], output: [tensor('O0')] },
    ensembleScheduling: {
      step: [{ modelName: 'p', inputMap: { I: 'I' }, outputMap: { O: 'O0' } }],
    },
  });
}

describe('a whole that cannot be served', () => {
  it.each([
    [['nosuch'], 'ensemble w contains models that are not available or ambiguous: nosuch'],
    [['p:3'], "ensemble 'w' depends on 'p' whose required version 3 is not loaded"],
    [
      ['broken'],
      "ensemble 'w' depends on 'broken' which has no loaded version. Model 'broken' loading failed with error: version 1 " +
        'is at UNAVAILABLE state: Internal: no;',
    ],
  ])('says so: %s', async (parts, text) => {
    loads.broken.set('broken:1', new RuntimeError('INTERNAL', 'no'));
    await repository.model('p', [1]);
    await repository.model('broken', [1]);
    await repository.ensemble('w', parts);

    await expect(aManager().load('w')).rejects.toThrow(`load failed for model 'w': ${text}\n`);
    expect(told).toContain(`w: ${text}`);
  });

  it.each([[['a', 'b']], [['a', 'b', 'c']], [['a', 'b', 'c', 'd']]])(
    'is told of its circle, at once or one after the other: %s',
    async (circle) => {
      for (const [at, name] of circle.entries())
        await repository.ensemble(name, [circle[(at + 1) % circle.length]!]);
      const manager = aManager();

      const atOnce = await Promise.allSettled(circle.map((name) => manager.load(name)));
      const texts = atOnce.map((result) => String((result as PromiseRejectedResult).reason));
      for (const name of circle) await expect(manager.load(name)).rejects.toThrow(RuntimeError);

      expect(texts.some((text) => text.includes('circular dependency between ensembles'))).toBe(
        true,
      );
      expect(serving(...circle)).toEqual([]);
    },
  );

  it('serves with all its circle when that is opened', async () => {
    await repository.model('p', [1]);
    for (const [name, part] of ['ab', 'bc', 'ca'].map(([of, to]) => [of!, to!] as const))
      await repository.ensemble(name, [part]);
    const manager = aManager();
    await expect(manager.load('a')).rejects.toThrow(RuntimeError);

    await repository.ensemble('c', ['p']);
    await manager.load('c');

    expect(serving('a', 'b', 'c')).toEqual(['a', 'b', 'c']);
  });
});

describe('a whole in poll mode', () => {
  it('is loaded whichever of the models is taken up first', async () => {
    await pipeline();
    const manager = aManager('poll');

    const failures = await manager.start('all');

    expect(failures.size).toBe(0);
    expect(serving('p', 'q', 'inner', 'outer')).toHaveLength(4);
    expect(loads.log).toHaveLength(4);
  });

  it('leaves with the directory of a part and comes back with it', async () => {
    await pipeline();
    const manager = aManager('poll');
    await manager.start('all');
    const handle = registry.acquire('outer', '');

    await repository.remove('p');
    const forgotten = manager.forget('p');
    await repository.model('p', [1]);
    const followed = manager.follow('p');
    handle.release();
    await Promise.all([forgotten, followed]);

    expect(serving('p', 'q', 'inner', 'outer')).toHaveLength(4);
  });

  it('makes the server not ready while a part of it has never been there', async () => {
    await repository.ensemble('w', ['p']);
    const manager = aManager('poll');
    await manager.start('all');
    expect(manager.isReady()).toBe(false);

    await repository.model('p', [1]);
    await manager.follow('p');

    expect([serving('w'), manager.isReady()]).toEqual([['w'], true]);
  });
});

describe('the end of the server', () => {
  it('lets nothing come back', async () => {
    const manager = await pipeline();
    await manager.load('outer');

    await Promise.all([manager.load('p').catch(() => undefined), manager.stop()]);

    expect(serving('p', 'q', 'inner', 'outer')).toEqual([]);
    await expect(manager.load('p')).rejects.toThrow('not loaded any more');
  });
});
