// Random chains of steps of which some answer any number of times, in any order, some failing, held against plain evaluation: the same
// answers in the same order, no step working on more than it may, one end, and nothing left behind.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { EnsembleBench, tensorOf, type AskedStep } from '../testing/ensemble-bench.js';

interface Step {
  readonly model: string;
  /** How often it answers its n-th request; undefined: once. */
  readonly counts: readonly number[] | undefined;
  /** It fails for inputs of which the checksum modulo 7 is that, after its answers. */
  readonly failing: number;
  readonly continues: boolean;
}

const step = fc.record({
  counts: fc.option(fc.array(fc.nat(4), { minLength: 3, maxLength: 3 }), { nil: undefined }),
  failing: fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, fc.nat(6)),
  continues: fc.boolean(),
});

const scenario = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) =>
    steps.map((raw, at): Step => ({
      ...{ model: `m${at}`, ...raw },
      // What is left out of answers that were given is a matter of its own.
      continues: raw.continues && raw.counts === undefined,
    })),
  ),
  maxInflight: fc.constantFrom(1, 2, 3, Infinity),
  order: fc.array(fc.nat(50), { minLength: 12, maxLength: 12 }),
  cancelAt: fc.oneof({ weight: 4, arbitrary: fc.constant(Infinity) }, fc.nat(20)),
});

function checksum(text: string): number {
  return Buffer.from(text).reduce((sum, byte, at) => sum + byte * (at + 1), 0);
}

/** What a step makes of one input. */
function computed({ model, counts }: Step, input: string): string[] {
  if (!counts) return [`${input}>${model}`];
  const count = counts[checksum(input) % counts.length]!;
  return Array.from({ length: count }, (_, at) => `${input}>${at}`);
}

function fails({ failing }: Step, input: string): boolean {
  return checksum(input) % 7 === failing;
}

class Plain {
  readonly answers: string[] = [];
  isFailed = false;
  isAnyFailed = false;

  constructor(steps: readonly Step[]) {
    this.#from(steps, 'I');
  }

  #from([first, ...rest]: readonly Step[], input: string): void {
    if (!first) {
      this.answers.push(input);
      return;
    }
    const isFailing = fails(first, input);
    if (isFailing) {
      this.isAnyFailed = true;
      if (!first.continues) this.isFailed = true;
    }
    if (isFailing && !first.counts) return;
    for (const output of computed(first, input)) this.#from(rest, output);
  }
}

/** What a step of the bench does next: one answer, or its end. */
function goOn(asked: AskedStep, of: Step, told: Map<AskedStep, number>): void {
  const input = Buffer.from(asked.request.inputs[0]!.data).toString();
  const outputs = fails(of, input) && !of.counts ? [] : computed(of, input);
  const at = told.get(asked) ?? 0;
  told.set(asked, at + 1);
  const data = outputs[at];
  if (data !== undefined) asked.tell({ data: Buffer.from(data) });
  if (data !== undefined && of.counts) return;
  asked.end(fails(of, input) ? new RuntimeError('BACKEND_FAILED', 'no') : undefined);
}

describe('an ensemble with decoupled steps', () => {
  it('answers what each of their answers becomes, in order', () => {
    fc.assert(
      fc.property(scenario, ({ steps, maxInflight, order, cancelAt }) => {
        const name = (at: number): string => (at === 0 ? 'I' : `t${at}`);
        const bench = new EnsembleBench(
          steps.map(({ model, counts, continues }, at) => ({
            ...{ model, continues, decoupled: counts !== undefined },
            ...{ reads: [name(at)], writes: [name(at + 1)] },
          })),
          { inputs: ['I'], outputs: [name(steps.length)] },
          { maxInflight },
        );
        const plain = new Plain(steps);
        const told = new Map<AskedStep, number>();

        const { reply, call } = bench.ask([tensorOf('I', Buffer.from('I'))]);
        for (let turn = 0; bench.running.length > 0; turn++) {
          const { running } = bench;
          for (const { model } of steps) {
            const atWork = running.filter((asked) => asked.model === model);
            expect(atWork.length).toBeLessThanOrEqual(maxInflight);
          }
          const next = running[order[turn % order.length]! % running.length]!;
          if (turn === cancelAt) call.cancel();
          else
            goOn(
              next,
              steps.find(({ model }) => model === next.model)!,
              told,
            );
        }

        const answers = reply.responses.map(({ outputs }) =>
          Buffer.from(outputs[0]!.data).toString(),
        );
        expect(reply.ends).toHaveLength(1);
        if (call.cancelled || plain.isFailed) {
          expect(call.cancelled ? ['CANCELLED', 'BACKEND_FAILED'] : ['BACKEND_FAILED']).toContain(
            reply.outcome,
          );
          expect(plain.answers.slice(0, answers.length)).toEqual(answers);
        } else {
          expect(answers).toEqual(plain.answers);
          const isLost = answers.length === 0 && plain.isAnyFailed;
          expect(reply.outcome).toBe(isLost ? 'BACKEND_FAILED' : 'ok');
        }
        expect([bench.wheel.size, bench.clock.timerCount]).toEqual([0, 0]);
        expect(call.legs.every(({ endedAt }) => endedAt > 0)).toBe(true);
        for (const { figures } of bench.targets)
          expect(figures.sent).toBe(figures.answered + figures.failed + figures.abandoned);
      }),
      { numRuns: 1500 },
    );
  });
});
