import { beforeEach, describe, expect, it } from 'vitest';
import { parseModelConfig } from '../config/parse-model-config.js';
import { FakeCatalog, aServedModel } from '../testing/fake-catalog.js';
import { described } from '../testing/gated-loads.js';
import { ensembleText } from '../testing/model-directory.js';
import { Dependencies } from './dependencies.js';
import type { ModelDescription } from './model-description.js';

let catalog: FakeCatalog;
let dependencies: Dependencies;

beforeEach(() => {
  catalog = new FakeCatalog();
  dependencies = new Dependencies({ catalog, failureOf: () => '' });
});

function asking(name: string, ...parts: string[]): ModelDescription {
  return { ...described([1], { name }), message: parseModelConfig(ensembleText(parts)).message };
}

/** It can do without them. */
function falling(name: string, ...parts: string[]): ModelDescription {
  const targets = parts.map((part) => `fallback { model_name: "${part}" }`).join(' ');
  const { message } = parseModelConfig(`resilience { ${targets} }`);
  return { ...described([1], { name }), message };
}

describe('Dependencies', () => {
  it('has those that require a model after each other, as they ask each other', () => {
    for (const one of [asking('top', 'left', 'right'), asking('right', 'p'), asking('left', 'p')])
      dependencies.want(one);

    expect(dependencies.behind('p').at(-1)).toBe('top');
    expect(dependencies.behind('p').sort()).toEqual(['left', 'right', 'top']);
    expect(dependencies.behind('p', 'left').sort()).toEqual(['right', 'top']);
    expect(dependencies.behind('top')).toEqual([]);
  });

  it('counts what serves while something newer is wanted', () => {
    dependencies.want(asking('w', 'old'));
    dependencies.serves('w');
    dependencies.want(asking('w', 'new'));

    expect([dependencies.behind('old'), dependencies.behind('new')]).toEqual([['w'], ['w']]);
    expect(dependencies.older('w')?.message).toEqual(asking('w', 'old').message);
    dependencies.serves('w');
    expect([dependencies.isAsked('old'), dependencies.older('w')]).toEqual([false, undefined]);
  });

  it('forgets', () => {
    dependencies.want(asking('w', 'p'));

    expect(dependencies.forget('w')?.name).toBe('w');
    expect(dependencies.behind('p')).toEqual([]);
  });

  it('names a circle of requirements', () => {
    for (const one of [asking('a', 'b'), asking('b', 'c', 'x'), asking('c', 'a')])
      dependencies.want(one);

    expect(() => dependencies.checkCycle('a')).toThrow(
      'circular dependency between ensembles: a -> ... -> c -> a',
    );
    expect(() => dependencies.checkCycle('x')).not.toThrow();
  });

  it('lets two models take each other’s place, but not wait for each other', () => {
    dependencies.want(falling('a', 'b'));
    dependencies.want(falling('b', 'a'));

    expect(() => dependencies.checkCycle('a')).not.toThrow();
    expect([dependencies.leadsTo('b', 'a'), dependencies.behind('b')]).toEqual([true, []]);
    expect(dependencies.isAsked('b')).toBe(true);
  });

  it('makes of a whole something else where the tensors of a part are others', () => {
    const input = [{ name: 'I', dims: [1] }];
    const fingerprint = (): string | undefined =>
      dependencies.withParts(asking('w', 'p')).sources.get(1)?.fingerprint;
    catalog.serve(aServedModel({ name: 'p', configMessage: { input } }));
    const before = fingerprint();

    catalog.serve(aServedModel({ name: 'p', version: 2, configMessage: { input } }));
    expect(fingerprint()).toBe(before);
    catalog.serve(aServedModel({ name: 'p', version: 3, configMessage: { input: [] } }));
    expect(fingerprint()).not.toBe(before);
  });

  it('makes of a whole something else where a part has become decoupled', () => {
    const fingerprint = (): string | undefined =>
      dependencies.withParts(asking('w', 'p')).sources.get(1)?.fingerprint;
    catalog.serve(aServedModel({ name: 'p' }));
    const before = fingerprint();

    catalog.serve(aServedModel({ name: 'p', version: 2, decoupled: true }));

    expect(fingerprint()).not.toBe(before);
  });
});
