// Random interleavings of sequences that start, go on, end, are cancelled, fail or fall idle, held against a plain model: every
// request is answered once, with what its own sequence adds up to, and no slot is lost.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SequenceBench, sumOf, type Asked, type Setup } from '../testing/sequence-bench.js';

const IDLE_MS = 20;
const IDS = 6;

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      id: fc.integer({ min: 1, max: IDS }),
      start: fc.boolean(),
      end: fc.boolean(),
      value: fc.integer({ min: 1, max: 9 }),
      timeoutMs: fc.constantFrom(0, 0, 0, 5, IDLE_MS),
      deadlineMs: fc.constantFrom(Infinity, Infinity, Infinity, 3, IDLE_MS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(15) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('release' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('resize' as const),
      instances: fc.integer({ min: 1, max: 3 }),
    }),
  },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

const setup: fc.Arbitrary<Setup> = fc.record({
  strategy: fc.constantFrom(
    'direct { }',
    'direct { max_queue_delay_microseconds: 3000 minimum_slot_utilization: 0.6 }',
    'oldest { max_candidate_sequences: 2 }',
    'oldest { max_candidate_sequences: 2 preserve_ordering: true }',
    'oldest { max_candidate_sequences: 3 preferred_batch_size: [ 2 ] max_queue_delay_microseconds: 3000 }',
  ),
  maxBatchSize: fc.integer({ min: 2, max: 3 }),
  instances: fc.integer({ min: 1, max: 2 }),
  idleUs: fc.constant(IDLE_MS * 1000),
});

/** What ends the sequence of a request. */
const LOST = ['CANCELLED', 'DEADLINE_EXCEEDED', 'QUEUE_TIMEOUT'];

interface Request extends Asked {
  readonly start: boolean;
  readonly value: number;
  /** Its cancellation came when it had been computed, and its answer was held for others: it counts as computed. */
  isComputed: boolean;
}

/** The plain model: what belongs together, and since when nothing of it is under way. */
interface Life {
  readonly requests: Request[];
  isOpen: boolean;
  idleSince: number | undefined;
}

class Simulation {
  readonly #bench: SequenceBench;
  readonly #asked: { request: Request; life: Life }[] = [];
  readonly #lives = new Map<number, Life>();
  readonly #slots: number;
  readonly #isOrdered: boolean;
  #capacity: number;

  constructor({ strategy = '', maxBatchSize = 2, instances = 1, idleUs = 0 }: Setup) {
    this.#bench = new SequenceBench({ strategy, maxBatchSize, instances, idleUs });
    const candidates = Number(/candidate_sequences: (\d)/.exec(strategy)?.[1] ?? maxBatchSize);
    this.#slots = candidates;
    this.#isOrdered = strategy.includes('preserve_ordering');
    this.#capacity = instances * candidates;
  }

  async take(step: Action): Promise<void> {
    if (step.kind === 'ask') this.#ask(step);
    else if (step.kind === 'cancel') this.#cancel(step.which);
    else if (step.kind === 'advance') this.#bench.clock.advance(step.ms);
    else if (step.kind === 'resize') this.#resize(step.instances);
    else if (this.#bench.runner.isBusy) await this.#bench.runner[step.kind]();
    this.#look();
  }

  async finish(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await this.#bench.run();
      this.#bench.clock.advance(IDLE_MS + 1);
    }
    await this.#bench.run();
    this.#bench.clock.advance(IDLE_MS + 1);
  }

  async check(): Promise<void> {
    for (const { life } of this.#asked) checkLife(life);
    expect(this.#bench.leftovers).toEqual([0, 0, 0, 0]);
    const fresh = Array.from({ length: this.#capacity }, (_, index) =>
      this.#bench.start(index + 1),
    );
    await this.#bench.run();
    this.#bench.clock.advance(5);
    await this.#bench.run();
    expect(fresh.map(sumOf)).toEqual(fresh.map(() => 1));
  }

  #resize(instances: number): void {
    this.#bench.scheduler.resize(instances);
    this.#capacity = instances * this.#slots;
  }

  #ask({ id, start, end, value, timeoutMs, deadlineMs }: Extract<Action, { kind: 'ask' }>): void {
    const known = this.#lives.get(id);
    const isOpen = known?.isOpen === true;
    const asked = this.#bench.ask(
      id,
      { value, sequenceStart: start, sequenceEnd: end, timeoutMs },
      this.#bench.clock.now() + deadlineMs,
    );
    if (!isOpen && !start) {
      expect(asked.reply.outcome).toBe('INVALID_ARGUMENT');
      return;
    }
    expect(asked.reply.outcome).toBe('pending');
    const life = isOpen ? known : { requests: [], isOpen: true, idleSince: undefined };
    const request = { ...asked, start, value, isComputed: false };
    life.requests.push(request);
    life.isOpen = !end;
    life.idleSince = undefined;
    this.#lives.set(id, life);
    this.#asked.push({ request, life });
  }

  #cancel(which: number): void {
    const found = this.#asked[which];
    if (!found || !isPending(found.request)) return;
    const { reply, call } = found.request;
    call.cancel();
    if (reply.outcome === 'CANCELLED') {
      found.life.isOpen = false;
      return;
    }
    const others = this.#asked.filter(({ request }) => request !== found.request);
    expect(this.#isOrdered && others.some(({ request }) => isPending(request))).toBe(true);
    expect(reply.outcome).toBe('pending');
    found.request.isComputed = true;
  }

  /** Lives of which a request was lost have ended; those of which nothing is under way fall idle. */
  #look(): void {
    const now = this.#bench.clock.now();
    for (const life of this.#lives.values()) {
      if (life.requests.some(({ reply }) => LOST.includes(reply.outcome))) life.isOpen = false;
      if (life.requests.some(isPending)) continue;
      life.idleSince ??= now;
      if (now - life.idleSince >= IDLE_MS) life.isOpen = false;
    }
  }
}

function isPending({ reply }: Asked): boolean {
  return reply.outcome === 'pending';
}

function checkLife({ requests }: Life): void {
  let state = 0;
  let isCut = false;
  for (const request of requests) {
    const { reply, start, value, isComputed } = request;
    expect(reply.ends).toHaveLength(1);
    if (isComputed) expect(reply.outcome).toBe('ok');
    isCut ||= LOST.includes(reply.outcome);
    if (isCut) expect(LOST).toContain(reply.outcome);
    if (start) state = 0;
    if (reply.outcome !== 'ok') continue;
    state += value;
    expect(sumOf(request)).toBe(state);
  }
}

describe('SequenceScheduler under random load', () => {
  it('gives every request what its own sequence adds up to, and loses no slot', async () => {
    await fc.assert(
      fc.asyncProperty(
        setup,
        fc.array(action, { maxLength: 40, size: 'max' }),
        async (about, actions) => {
          const simulation = new Simulation(about);
          for (const step of actions) await simulation.take(step);
          await simulation.finish();
          await simulation.check();
        },
      ),
      { numRuns: 10_000 },
    );
  }, 120_000);
});
