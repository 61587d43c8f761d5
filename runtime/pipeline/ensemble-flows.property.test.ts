// Random chains of steps of which some answer any number of times, in any order, some failing, to a caller who reads as he likes, held
// against plain evaluation: the same answers in the same order, no step working on more than it may, no more answers on their way
// than may be, nobody waiting for ever, one end, and nothing left behind.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Call } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import type { RecordedReply } from '../testing/build.js';
import { BenchReader, EnsembleBench, tensorOf, type AskedStep } from '../testing/ensemble-bench.js';
import type { FlowBounds } from './flow-pace.js';

interface Step {
  readonly model: string;
  /** How often it answers its n-th request; undefined: once. */
  readonly counts: readonly number[] | undefined;
  /** It fails for inputs of which the checksum modulo 7 is that, after its answers. */
  readonly failing: number;
  readonly continues: boolean;
}

const step = fc.record({
  counts: fc.option(fc.array(fc.nat(5), { minLength: 3, maxLength: 3 }), { nil: undefined }),
  failing: fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, fc.nat(6)),
  continues: fc.boolean(),
});

const rarely = fc.oneof({ weight: 5, arbitrary: fc.constant(Infinity) }, fc.nat(25));

const raw = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) =>
    steps.map((one, at): Step => ({
      ...{ model: `m${at}`, ...one },
      // What is left out of answers that were given is a matter of its own.
      continues: one.continues && one.counts === undefined,
    })),
  ),
  /** The steps from there on are an ensemble of their own, which is asked as one step. */
  cut: fc.oneof({ weight: 2, arbitrary: fc.constant(Infinity) }, fc.integer({ min: 1, max: 3 })),
  /** The first step waits for one beside it. */
  hasSide: fc.boolean(),
  maxInflight: fc.constantFrom(1, 2, 3, Infinity),
  flows: fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.nat(2))
    .map(([always, more]): FlowBounds => ({ always, most: always + more })),
  /** Answers that are on their way already when a step is told to wait. */
  ahead: fc.nat(2),
  /** Unread answers that do not put the caller behind; how many of ten turns are his. */
  reader: fc.record({ room: fc.integer({ min: 1, max: 4 }), turns: fc.nat(9) }),
  order: fc.array(fc.nat(50), { minLength: 12, maxLength: 12 }),
  cancelAt: rarely,
  timeOutAt: rarely,
});
type Scenario = typeof raw extends fc.Arbitrary<infer T> ? T : never;

const scenario = raw.map((of): Scenario => ({
  ...of,
  steps: of.steps.map(({ continues, ...one }, at) => ({
    ...one,
    // An ensemble of which nothing is left has failed, whatever its steps may do.
    continues: continues && at < of.cut,
  })),
}));

const TIMEOUT_MS = 1000;

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

/** The whole, or the ensemble in it: a chain from tensor `from` to tensor `to`. */
function chainOf(
  steps: readonly Step[],
  ends: readonly [from: string, to: string],
  more: Scenario,
) {
  const name = (at: number): string =>
    at === 0 ? ends[0] : at === steps.length ? ends[1] : `t${at}`;
  return steps.map(({ model, counts, continues }, at) => ({
    ...{ model, continues, decoupled: counts !== undefined, writes: [name(at + 1)] },
    reads: at === 0 && more.hasSide && ends[0] === 'I' ? ['I', 'S'] : [name(at)],
    ...(!continues && { timeoutMs: TIMEOUT_MS }),
  }));
}

/** The request of one scenario, whose models and whose caller do one thing after the other. */
class Play {
  readonly of: Scenario;
  readonly plain: Plain;
  readonly benches: readonly EnsembleBench[];
  readonly reply: RecordedReply;
  readonly call: Call;
  readonly #told = new Map<AskedStep, number>();
  readonly #toldWhileHeld = new Map<AskedStep, number>();
  /** By step: what it has said. */
  readonly #said = new Map<string, string[]>();
  readonly #reader = new BenchReader(() => this.#unread >= this.of.reader.room);
  #read = 0;

  constructor(of: Scenario) {
    this.of = of;
    this.plain = new Plain(of.steps);
    const { steps, cut, hasSide, maxInflight, flows } = of;
    const [outer, inner] = [steps.slice(0, cut), steps.slice(cut)];
    const innerBench = new EnsembleBench(
      chainOf(inner, ['x0', 'y0'], of),
      { inputs: ['x0'], outputs: ['y0'] },
      { maxInflight, flows },
    );
    const side = { model: 'side', reads: ['I'], writes: ['S'] };
    const nested: Step = {
      ...{ model: 'inner', failing: -1, continues: false },
      counts: inner.some(({ counts }) => counts) ? [] : undefined,
    };
    const chain = chainOf(inner.length > 0 ? [...outer, nested] : outer, ['I', 'O'], of);
    const bench = new EnsembleBench(
      [...(hasSide ? [side] : []), ...chain],
      { inputs: ['I'], outputs: ['O'] },
      { models: { inner: innerBench.ensemble }, clock: innerBench.clock, maxInflight, flows },
    );
    this.benches = [bench, innerBench];
    const asked = bench.ask([tensorOf('I', Buffer.from('I'))], {}, { reader: this.#reader });
    this.reply = asked.reply;
    this.call = asked.call;
  }

  get running(): AskedStep[] {
    return this.benches.flatMap((bench) => bench.running);
  }

  get answers(): string[] {
    return this.reply.responses.map(({ outputs }) => Buffer.from(outputs[0]!.data).toString());
  }

  /** What there is too much of: steps at work, or their answers on their way. */
  tooMany(most: readonly number[]): string | undefined {
    const { steps, cut, maxInflight } = this.of;
    const { running } = this;
    for (const [at, { model, counts }] of steps.entries()) {
      const atWork = running.filter((asked) => asked.model === model).length;
      if (at < cut && atWork > maxInflight) return `${atWork} of ${model} at work`;
      const underWay = counts ? this.#underWay(model) : 0;
      if (underWay > most[at]!) return `${underWay} answers of ${model}, at most ${most[at]}`;
    }
    const { room } = this.of.reader;
    // What was on its way when he fell behind still comes.
    const mayWait = room + Math.max(...most.filter((one) => one < Infinity), 1);
    if (this.#unread > mayWait) return `${this.#unread} unread answers, at most ${mayWait}`;
    return undefined;
  }

  turn(at: number): void {
    const { order, cancelAt, timeOutAt, reader } = this.of;
    if (at === cancelAt) this.call.cancel();
    else if (at === timeOutAt) this.benches[0]!.clock.advance(TIMEOUT_MS + 1);
    else if (at % 10 < reader.turns) this.#readOne();
    else {
      const able = this.running.filter((asked) => this.#isAble(asked));
      if (able.length > 0) this.#goOn(able[order[at % order.length]! % able.length]!);
      else if (this.#reader.isBehind) this.#readOne();
      else throw new Error('everybody waits for somebody');
    }
  }

  /** Those of which something has not come out yet that will. */
  #underWay(model: string): number {
    const still = this.plain.answers.slice(this.reply.responses.length);
    const said = (this.#said.get(model) ?? []).filter((one) =>
      still.some((it) => it === one || it.startsWith(`${one}>`)),
    );
    this.#said.set(model, said);
    return said.length;
  }

  get #unread(): number {
    return this.reply.responses.length - this.#read;
  }

  #readOne(): void {
    if (this.#unread === 0) return;
    this.#read++;
    this.#reader.read();
  }

  #isAble(asked: AskedStep): boolean {
    return !asked.isHeld || (this.#toldWhileHeld.get(asked) ?? 0) < this.of.ahead;
  }

  /** One answer of a step, or its end. */
  #goOn(asked: AskedStep): void {
    const of = this.of.steps.find(({ model }) => model === asked.model);
    const input = Buffer.from(asked.request.inputs[0]!.data).toString();
    if (!of) asked.answer({ data: Buffer.from('S') });
    else if (!this.#say(asked, of, input) || !of.counts)
      asked.end(fails(of, input) ? new RuntimeError('BACKEND_FAILED', 'no') : undefined);
  }

  /** False: it has said all. */
  #say(asked: AskedStep, of: Step, input: string): boolean {
    const outputs = fails(of, input) && !of.counts ? [] : computed(of, input);
    const at = this.#told.get(asked) ?? 0;
    const data = outputs[at];
    this.#told.set(asked, at + 1);
    this.#toldWhileHeld.set(asked, asked.isHeld ? (this.#toldWhileHeld.get(asked) ?? 0) + 1 : 0);
    if (data === undefined) return false;
    this.#said.set(asked.model, [...(this.#said.get(asked.model) ?? []), data]);
    asked.tell({ data: Buffer.from(data) });
    return true;
  }
}

/** By step: how many of its answers may be on their way at once. */
function bounds({ steps, cut, flows: { most }, ahead }: Scenario): number[] {
  let streams = 1;
  return steps.map(({ counts }, at) => {
    if (!counts) return Infinity;
    // Each of them answers once before it can be told to wait; in an ensemble of its own each has its own bound.
    const each = at < cut ? 1 + ahead : most + 1 + ahead;
    streams = 2 * most + streams * each;
    return streams;
  });
}

describe('an ensemble with decoupled steps', () => {
  it('answers what each of their answers becomes, in order, as fast as it is read', () => {
    fc.assert(
      fc.property(scenario, (of) => {
        const play = new Play(of);
        const most = bounds(of);
        for (let turn = 0; play.running.length > 0; turn++) {
          expect(play.tooMany(most)).toBeUndefined();
          play.turn(turn);
        }

        expectRightEnd(play);
        expectNothingLeft(play);
      }),
      { numRuns: 600 },
    );
  }, 30_000);
});

function expectRightEnd({ plain, reply, call, answers }: Play): void {
  const { outcome } = reply;
  expect(reply.ends).toHaveLength(1);
  if (call.cancelled || plain.isFailed || outcome === 'DEADLINE_EXCEEDED') {
    const least = plain.isFailed || call.cancelled ? 1 : 0;
    const allowed = ['ok', 'BACKEND_FAILED', 'CANCELLED', 'DEADLINE_EXCEEDED'];
    expect(allowed.slice(least)).toContain(outcome);
    expect(plain.answers.slice(0, answers.length)).toEqual(answers);
    return;
  }
  expect(answers).toEqual(plain.answers);
  const isLost = answers.length === 0 && plain.isAnyFailed;
  expect(outcome).toBe(isLost ? 'BACKEND_FAILED' : 'ok');
}

function expectNothingLeft({ call, benches }: Play): void {
  expect(call.legs.every(({ endedAt }) => endedAt > 0)).toBe(true);
  for (const { wheel, clock, targets } of benches) {
    expect([wheel.size, clock.timerCount]).toEqual([0, 0]);
    for (const { figures } of targets)
      expect(figures.sent).toBe(figures.answered + figures.failed + figures.abandoned);
  }
}
