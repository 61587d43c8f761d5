// Wholes and parts that are loaded and unloaded at random, all at once, with loads that end when the test lets them: nothing ever
// waits for itself, and when all is quiet a whole serves just where all its parts do.

import { stat } from 'node:fs/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServableHandle } from '../core/model-catalog.js';
import { GatedLoads } from '../testing/gated-loads.js';
import { TestRepository, silentObserver } from '../testing/model-directory.js';
import { ModelLoader } from './model-loader.js';
import { ModelManager } from './model-manager.js';
import { ModelRegistry } from './model-registry.js';

/** By model: those it asks; the later ones ask the earlier ones. */
const MODELS: Readonly<Record<string, readonly string[]>> = {
  a: [],
  b: [],
  c: [],
  ab: ['a', 'b'],
  bc: ['b', 'c'],
  over: ['ab', 'c'],
  top: ['over', 'bc', 'a'],
};
const NAMES = Object.keys(MODELS);
const LEAVES = NAMES.filter((name) => MODELS[name]!.length === 0);
const WHOLES = NAMES.filter((name) => !LEAVES.includes(name));
/** Turns within which everything ends that waits for nothing but files. */
const MANY_TURNS = 2000;
/** After as many without a change nothing more comes of itself. */
const QUIET_TURNS = 20;

const step = (unloaded: readonly string[]): fc.Arbitrary<Step> =>
  fc.oneof(
    fc.record({ kind: fc.constant('load' as const), name: fc.constantFrom(...NAMES) }),
    fc.record({ kind: fc.constant('unload' as const), name: fc.constantFrom(...unloaded) }),
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(9) }) },
    fc.record({ kind: fc.constant('fail' as const), which: fc.nat(9) }),
    fc.record({ kind: fc.constant('use' as const), name: fc.constantFrom(...NAMES) }),
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('turns' as const), count: fc.nat(20) }) },
  );
type Step =
  | { kind: 'load'; name: string }
  | { kind: 'unload'; name: string }
  | { kind: 'use'; name: string }
  | { kind: 'end' | 'fail'; which: number }
  | { kind: 'turns'; count: number };

let repository: TestRepository;

beforeEach(async () => {
  repository = await TestRepository.create();
  for (const [name, parts] of Object.entries(MODELS))
    if (parts.length > 0) await repository.ensemble(name, parts);
    else await repository.model(name, [1]);
});

afterEach(() => repository.remove());

class Simulation {
  readonly registry = new ModelRegistry();
  readonly #loads = new GatedLoads();
  readonly #manager: ModelManager;
  readonly #used: ServableHandle[] = [];
  #underWay = 0;

  constructor() {
    const { registry } = this;
    const { loadVersion } = this.#loads;
    const loader = new ModelLoader({ registry, loadVersion, observer: silentObserver }, 2);
    this.#manager = new ModelManager(
      { repositories: [repository.path], controlMode: 'explicit', hasGpu: false },
      { registry, loader, observer: silentObserver },
    );
  }

  async take(step: Step): Promise<void> {
    if (step.kind === 'load') this.#begin(this.#manager.load(step.name));
    else if (step.kind === 'unload') this.#begin(this.#manager.unload(step.name));
    else if (step.kind === 'use') this.#use(step.name);
    else if (step.kind === 'turns') for (let i = 0; i < step.count; i++) await turn();
    else await this.#end(step);
  }

  /** Lets everything end, and well. */
  async finish(): Promise<void> {
    for (const handle of this.#used.splice(0)) handle.release();
    for (let left = MANY_TURNS, quiet = 0; quiet < QUIET_TURNS && left > 0; left--) {
      const isQuiet = this.#underWay === 0 && this.#loads.loading.length === 0;
      quiet = isQuiet ? quiet + 1 : 0;
      await this.#loads.succeed(...this.#loads.loading);
      await turn();
    }
    expect(this.#underWay).toBe(0);
  }

  serves(name: string): boolean {
    return this.registry.isReady(name, '');
  }

  #begin(operation: Promise<void>): void {
    this.#underWay++;
    void operation.catch(() => undefined).finally(() => this.#underWay--);
  }

  #use(name: string): void {
    if (this.serves(name)) this.#used.push(this.registry.acquire(name, ''));
  }

  async #end({ kind, which }: Extract<Step, { which: number }>): Promise<void> {
    const { loading } = this.#loads;
    const id = loading[which % loading.length];
    if (id === undefined) return;
    // What becomes of a whole whose own load fails is another story.
    const isLeaf = LEAVES.includes(id.split(':')[0]!);
    if (kind === 'fail' && isLeaf) await this.#loads.fail(id, new Error('no'));
    else await this.#loads.succeed(id);
  }
}

/** What waits for files, which queue, gets on by one of them. */
async function turn(): Promise<void> {
  await stat(repository.path);
}

describe('wholes and their parts, loaded and unloaded at random,', () => {
  it('serve together: a whole that was ever wanted serves just when all its parts do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step(LEAVES), { maxLength: 60, size: 'max' }), async (steps) => {
        const simulation = new Simulation();
        for (const name of WHOLES) await simulation.take({ kind: 'load', name });

        for (const one of steps) await simulation.take(one);
        await simulation.finish();

        for (const whole of WHOLES)
          expect([whole, simulation.serves(whole)]).toEqual([
            whole,
            MODELS[whole]!.every((part) => simulation.serves(part)),
          ]);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it('never wait for themselves, and no whole serves without its parts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step(NAMES), { maxLength: 60, size: 'max' }), async (steps) => {
        const simulation = new Simulation();
        await simulation.take({ kind: 'load', name: 'top' });

        for (const one of steps) await simulation.take(one);
        await simulation.finish();

        for (const whole of WHOLES.filter((name) => simulation.serves(name)))
          for (const part of MODELS[whole]!) expect(simulation.serves(part)).toBe(true);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
