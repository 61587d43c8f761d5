// Random graphs of steps that answer, fail, are late or leave out outputs, in any order, held against a plain evaluation: the same
// answer or an error that a step gave, one end, and nothing left behind.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import {
  EnsembleBench,
  tensorOf,
  type AskedStep,
  type BenchStep,
} from '../testing/ensemble-bench.js';

const TIMEOUT_MS = 5;
const INPUTS = ['i0', 'i1'];

type Outcome = 'answer' | 'fail' | 'late' | 'leave out';
interface Step extends BenchStep {
  readonly outcome: Outcome;
}
interface Scenario {
  readonly steps: readonly Step[];
  readonly given: readonly Tensor[];
  readonly requested: readonly string[];
  /** Which of the running steps is next. */
  readonly order: readonly number[];
}

const raw = fc.record({
  reads: fc.array(fc.record({ from: fc.nat(20), optional: fc.boolean() }), {
    minLength: 1,
    maxLength: 3,
  }),
  writes: fc.integer({ min: 1, max: 2 }),
  outcome: fc.oneof(
    { weight: 5, arbitrary: fc.constant<Outcome>('answer') },
    fc.constantFrom<Outcome[]>('fail', 'late', 'leave out'),
  ),
  continues: fc.boolean(),
});

const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    raws: fc.array(raw, { minLength: 1, maxLength: 7 }),
    first: fc.boolean(),
    requested: fc.array(fc.nat(20), { maxLength: 3 }),
    order: fc.array(fc.nat(20), { minLength: 10, maxLength: 10 }),
  })
  .map(({ raws, first, requested, order }) => {
    const tensors = [...INPUTS];
    const steps = raws.map(({ reads, writes, outcome, continues }, at): Step => {
      const written = Array.from({ length: writes }, (_, y) => `t${at}${y}`);
      const step = {
        ...{ model: `m${at}`, writes: written, outcome, continues },
        reads: reads.map(
          ({ from, optional }) => `${tensors[from % tensors.length]!}${optional ? '?' : ''}`,
        ),
        ...(outcome === 'late' && { timeoutMs: TIMEOUT_MS }),
      };
      tensors.push(...written);
      return step;
    });
    const outputs = tensors.slice(INPUTS.length);
    return {
      steps,
      given: (first ? INPUTS : INPUTS.slice(1)).map((name) => tensorOf(name, Buffer.from(name))),
      requested: [...new Set(requested.map((at) => outputs[at % outputs.length]!))],
      order,
    };
  });

/** What a model makes of its inputs. */
function computed(model: string, inputs: readonly { name: string; data: Uint8Array }[], y: number) {
  return `${model}(${inputs.map(({ name, data }) => `${name}=${Buffer.from(data).toString()}`).join()}).${y}`;
}

/** The same without an ensemble: by tensor what it is, undefined where it is absent. */
class Plain {
  readonly errors = new Set<string>();
  readonly #scenario: Scenario;
  readonly #known = new Map<string, string | undefined>();
  /** A step that must not fail has failed. */
  isFailed = false;

  constructor(of: Scenario) {
    this.#scenario = of;
    for (const name of INPUTS) this.#known.set(name, undefined);
    for (const { name, data } of of.given) this.#known.set(name, Buffer.from(data).toString());
  }

  tensor(name: string): string | undefined {
    if (!this.#known.has(name))
      this.#run(this.#scenario.steps.find(({ writes }) => writes.includes(name))!);
    return this.#known.get(name);
  }

  #run(step: Step): void {
    const inputs: { name: string; data: Uint8Array }[] = [];
    for (const [at, read] of step.reads.entries()) {
      const value = this.tensor(read.replace('?', ''));
      if (value !== undefined) inputs.push({ name: `x${at}`, data: Buffer.from(value) });
    }
    const isRunnable = step.reads.every(
      (read) => read.endsWith('?') || this.tensor(read) !== undefined,
    );
    const isGood = isRunnable && (step.outcome === 'answer' || step.outcome === 'leave out');
    if (isRunnable && !isGood) {
      this.errors.add(step.outcome === 'late' ? 'DEADLINE_EXCEEDED' : 'BACKEND_FAILED');
      if (!step.continues) this.isFailed = true;
    }
    step.writes.forEach((name, y) => {
      const isThere = isGood && !(step.outcome === 'leave out' && y === step.writes.length - 1);
      this.#known.set(name, isThere ? computed(step.model, inputs, y) : undefined);
    });
  }
}

function finish(step: AskedStep, { outcome, writes }: Step): void {
  if (outcome === 'fail') {
    step.end(new RuntimeError('BACKEND_FAILED', 'no'));
    return;
  }
  const count = outcome === 'leave out' ? writes.length - 1 : writes.length;
  const outputs = writes.slice(0, count).map((_, y) => ({
    data: Buffer.from(computed(step.model, step.request.inputs, y)),
  }));
  step.answer(...outputs);
}

function play(bench: EnsembleBench, { steps, order }: Scenario): void {
  const of = (step: AskedStep): Step => steps.find(({ model }) => model === step.model)!;
  for (let turn = 0; bench.running.length > 0; turn++) {
    const able = bench.running.filter((step) => of(step).outcome !== 'late');
    const next = able[order[turn % order.length]! % Math.max(able.length, 1)];
    if (next) finish(next, of(next));
    else bench.clock.advance(TIMEOUT_MS + 1);
  }
}

describe('Ensemble', () => {
  it('is what its steps are, whatever becomes of them and in whatever order', () => {
    fc.assert(
      fc.property(scenario, (of) => {
        const outputs = of.steps.flatMap(({ writes }) => writes);
        const bench = new EnsembleBench(of.steps, { inputs: INPUTS, outputs });
        const plain = new Plain(of);
        const wanted = of.requested.length > 0 ? of.requested : outputs;
        const expected = outputs
          .filter((name) => wanted.includes(name))
          .flatMap((name) => {
            const value = plain.tensor(name);
            return value === undefined ? [] : [[name, value]];
          });

        const { reply, call } = bench.ask(of.given, {
          outputs: of.requested.map((name) => ({ name, classCount: 0 })),
        });
        play(bench, of);

        expect(reply.ends).toHaveLength(1);
        if (plain.isFailed) {
          expect([...plain.errors]).toContain(reply.outcome);
        } else if (expected.length > 0) {
          expect(reply.responses.flatMap((response) => response.outputs).map(valueOf)).toEqual(
            expected,
          );
          expect(reply.outcome).toBe('ok');
        } else {
          expect(['INVALID_ARGUMENT', ...plain.errors]).toContain(reply.outcome);
        }
        expect(reply.responses).toHaveLength(reply.outcome === 'ok' ? 1 : 0);
        expect([bench.wheel.size, bench.clock.timerCount]).toEqual([0, 0]);
        expect(call.legs.every(({ endedAt }) => endedAt > 0)).toBe(true);
        for (const { figures } of bench.targets)
          expect(figures.sent).toBe(figures.answered + figures.failed + figures.abandoned);
      }),
      { numRuns: 1500 },
    );
  }, 30_000);
});

function valueOf({ name, data }: Tensor): [string, string] {
  return [name, Buffer.from(data).toString()];
}
