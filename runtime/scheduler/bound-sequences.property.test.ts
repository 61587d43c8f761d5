// Random interleavings of sequences, deaths of instances and changes of their number: each request is answered once, the steps of a sequence run
// in order, one at a time, on one instance, no step runs that goes on from something that was lost, and nothing is left of anybody.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { valuesOf } from '../testing/build.js';
import { BoundBench, type BoundAsk } from '../testing/bound-bench.js';
import type { PuppetInstance } from '../testing/puppet-instances.js';
import type { ScriptEntry } from './script-runner.js';

const IDLE_MS = 20;

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      id: fc.integer({ min: 1, max: 5 }),
      start: fc.boolean(),
      end: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), at: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const), at: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), at: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('return' as const), at: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), at: fc.nat(40) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), at: fc.nat(15) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('resize' as const),
      at: fc.integer({ min: 1, max: 3 }),
    }),
  },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

class Play {
  readonly bench: BoundBench;
  readonly asked: BoundAsk[] = [];
  /** All instances that ever were. */
  readonly #everyone = new Set<PuppetInstance>();

  constructor(strategy: string) {
    this.bench = new BoundBench({ strategy, idleUs: IDLE_MS * 1000 });
  }

  async do(action: Action): Promise<void> {
    const { runner, scheduler, clock } = this.bench;
    this.#meet();
    const { all } = runner;
    const at = 'at' in action ? action.at % all.length : 0;
    switch (action.kind) {
      case 'ask': {
        const { id, start: sequenceStart, end: sequenceEnd } = action;
        const x = this.asked.length;
        this.asked.push(this.bench.ask(id, { sequenceStart, sequenceEnd, x }));
        break;
      }
      case 'end':
        if (all[at]!.isBusy) await runner.end(at);
        break;
      case 'fail':
        if (all[at]!.isBusy) await runner.fail(at);
        break;
      case 'lose':
        if (!all[at]!.isLost) await runner.lose(at);
        break;
      case 'return':
        await runner.bringBack(at);
        break;
      case 'cancel':
        this.asked[action.at % Math.max(this.asked.length, 1)]?.call.cancel();
        break;
      case 'advance':
        clock.advance(action.at);
        break;
      case 'resize':
        runner.resize(action.at);
        scheduler.resize(action.at);
    }
    clock.runDeferred();
    this.#meet();
  }

  async finish(): Promise<void> {
    const { runner, clock } = this.bench;
    for (let round = 0; round < 30; round++) {
      for (let at = 0; at < runner.all.length; at++) await runner.bringBack(at);
      await this.bench.run();
      clock.advance(IDLE_MS + 5);
    }
  }

  /** Of each sequence, by its serial number: what ran of it, and in which thread. */
  steps(): Map<number, { entry: ScriptEntry; where: string }[]> {
    const steps = new Map<number, { entry: ScriptEntry; where: string }[]>();
    [...this.#everyone].forEach((instance, index) => {
      for (const batch of instance.started)
        for (const entry of batch.entries) {
          const { serial } = entry.sequence!;
          const where = `${index}:${instance.startedIn.get(batch)}`;
          steps.set(serial, [...(steps.get(serial) ?? []), { entry, where }]);
        }
    });
    return steps;
  }

  #meet(): void {
    for (const instance of this.bench.runner.all) this.#everyone.add(instance);
  }
}

describe('sequences that their instance remembers, in any order of events', () => {
  it.each([
    'direct { }',
    'direct { max_queue_delay_microseconds: 3000 minimum_slot_utilization: 0.6 }',
    'oldest { max_candidate_sequences: 2 }',
    'oldest { max_candidate_sequences: 2 preserve_ordering: true }',
  ])('keep their place and their order (%s)', async (strategy) => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
        const play = new Play(strategy);
        for (const each of actions) await play.do(each);
        await play.finish();

        expect(play.asked.map(({ reply }) => reply.ends.length)).toEqual(play.asked.map(() => 1));
        for (const steps of play.steps().values()) {
          const order = steps.map(({ entry }) => valuesOf(entry.request.inputs[0]!)[0]!);
          expect(order).toEqual([...order].sort((a, b) => a - b));
          expect(steps[0]!.entry.sequence!.start).toBe(true);
          const since = steps.findLastIndex(({ entry }) => entry.sequence!.start);
          expect(new Set(steps.slice(since).map(({ where }) => where)).size).toBe(1);
        }
        expect(play.bench.leftovers).toEqual([0, 0, 0, 0]);
        expect(play.bench.runner.leaving).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
