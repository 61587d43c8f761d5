// Random arrivals, priorities, cancellations, deadlines, failures and time: whatever happens, every request is answered exactly
// once, no batch exceeds its limits, nobody is overtaken who may not be, and nothing is left behind.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import type { RuntimeError } from '../core/errors.js';
import { NO_PARAMETERS } from '../core/inference.js';
import { ModelStatistics } from '../core/model-statistics.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { RecordedReply, aModelConfig, aRequest, aTensor } from '../testing/build.js';
import { FakeClock } from '../testing/fake-clock.js';
import { PuppetRunner } from '../testing/puppet-runner.js';
import type { BatchFeed, BatchResult } from './batch-runner.js';
import { BatchScheduler } from './batch-scheduler.js';

const MAX_BATCH_SIZE = 6;
const LEVELS = 3;
const DEFAULT_LEVEL = 2;

const ask = fc.record({
  kind: fc.constant('ask' as const),
  rows: fc.integer({ min: 1, max: 5 }),
  size: fc.integer({ min: 1, max: 2 }),
  /** One more than there are. */
  priority: fc.nat(LEVELS + 1),
  deadlineMs: fc.option(fc.integer({ min: -2, max: 60 })),
  timeoutMs: fc.constantFrom(0, 0, 8, 40),
});

const action = fc.oneof(
  { weight: 5, arbitrary: ask },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(40) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stall' as const), ms: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release last' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const) }) },
);
type Ask = typeof ask extends fc.Arbitrary<infer T> ? T : never;
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

const setting = fc
  .record({
    combine: fc.constantFrom(true, true, true, false),
    preferred: fc.uniqueArray(fc.integer({ min: 1, max: MAX_BATCH_SIZE }), { maxLength: 2 }),
    delayUs: fc.constantFrom(0, 500, 20_000),
    queueSize: fc.constantFrom(0, 3),
    timeoutUs: fc.constantFrom(0, 15_000),
    lowestTimeoutUs: fc.constantFrom(0, 5_000),
    mayOverride: fc.boolean(),
    timeoutAction: fc.constantFrom('REJECT', 'DELAY'),
    levels: fc.constantFrom(0, 0, LEVELS),
    byDeadline: fc.constantFrom(false, false, true),
    shedLate: fc.constantFrom(false, false, true),
    inOrder: fc.constantFrom(false, false, true),
    instances: fc.integer({ min: 1, max: 3 }),
  })
  // What a configuration may not ask for together (validate-model-config).
  .map((about) =>
    about.inOrder ? { ...about, levels: 0, timeoutAction: 'REJECT' as const } : about,
  );
type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never;

interface Asked {
  readonly reply: RecordedReply;
  readonly call: Call;
  /** The scheduler has seen it. */
  hasCome: boolean;
  readonly shape: readonly [number, number];
  readonly level: number;
  /** In the queue, by its timeout. */
  readonly timeoutAt: number;
  /** In a batch; if it waits again, for its second try, it comes before all of its level. */
  hasRun: boolean;
}

/** Tells of each batch before it starts. */
class WatchedRunner extends PuppetRunner {
  watch: (feed: BatchFeed) => void = () => undefined;

  override run(feed: BatchFeed): Promise<BatchResult> {
    this.watch(feed);
    return super.run(feed);
  }
}

/** Keeps the order in which requests end. */
class LoggedReply extends RecordedReply {
  readonly #index: number;
  readonly #succeeded: number[];

  constructor(index: number, succeeded: number[]) {
    super();
    this.#index = index;
    this.#succeeded = succeeded;
  }

  override end(error?: RuntimeError): void {
    if (!error) this.#succeeded.push(this.#index);
    super.end(error);
  }
}

class Simulation {
  readonly #setting: Setting;
  readonly #clock = new FakeClock();
  readonly #wheel = new TimerWheel(this.#clock);
  readonly #runner: WatchedRunner;
  readonly #statistics = new ModelStatistics();
  readonly #scheduler: BatchScheduler;
  readonly #asked: Asked[] = [];
  /** Indices of the requests that were answered well, in the order of their answers. */
  readonly #succeeded: number[] = [];

  constructor(about: Setting) {
    this.#setting = about;
    this.#runner = new WatchedRunner(about.instances);
    this.#runner.watch = (feed) => this.#started(feed);
    this.#scheduler = new BatchScheduler({
      config: configOf(about),
      version: '1',
      runner: this.#runner,
      clock: this.#clock,
      wheel: this.#wheel,
      statistics: this.#statistics,
    });
  }

  async take(step: Action): Promise<void> {
    if (step.kind === 'ask') this.#ask(step);
    else if (step.kind === 'cancel') this.#asked[step.which]?.call.cancel();
    else if (step.kind === 'advance') this.#clock.advance(step.ms);
    else if (step.kind === 'stall') this.#clock.stall(step.ms);
    else if (this.#busy) await this.#end(step.kind);
  }

  /** Lets everything end. */
  async finish(): Promise<void> {
    for (let round = 0; round < 100 && (this.#busy || this.#statistics.pending > 0); round++) {
      this.#clock.advance(50);
      await this.#runner.releaseAll();
    }
  }

  check(): void {
    this.#asked.forEach(({ reply, shape }, index) => {
      expect(reply.ends).toHaveLength(1);
      expect(reply.responses).toHaveLength(reply.outcome === 'ok' ? 1 : 0);
      const output = reply.responses[0]?.outputs[0];
      if (!output) return;
      expect(output.shape).toEqual(shape);
      expect(new Float32Array(output.data.slice().buffer)[0]).toBe(index * 100);
    });
    if (this.#setting.inOrder)
      expect(this.#succeeded).toEqual([...this.#succeeded].sort((a, b) => a - b));
    expect(this.#statistics.pending).toBe(0);
    expect(this.#wheel.size).toBe(0);
    expect(this.#clock.timerCount).toBe(0);
  }

  get #busy(): boolean {
    return this.#runner.idle < this.#setting.instances;
  }

  #end(kind: 'release' | 'release last' | 'fail' | 'lose'): Promise<void> {
    if (kind === 'release') return this.#runner.release();
    if (kind === 'release last') return this.#runner.releaseLast();
    return this.#runner.fail(kind === 'fail' ? 'BACKEND_FAILED' : 'BACKEND_LOST');
  }

  #ask({ rows, size, priority, deadlineMs, timeoutMs }: Ask): void {
    const now = this.#clock.now();
    const call = new Call(now, deadlineMs === null ? undefined : now + deadlineMs);
    const reply = new LoggedReply(this.#asked.length, this.#succeeded);
    const values = Array.from({ length: rows * size }, (_, i) => this.#asked.length * 100 + i);
    const inputs = [aTensor('INPUT0', [rows, size], values)];
    const level = this.#levelOf(priority);
    const timeoutAt = now + this.#timeoutMs(level, timeoutMs);
    const shape = [rows, size] as const;
    const asked = { reply, call, shape, level, timeoutAt, hasCome: false, hasRun: false };
    this.#asked.push(asked);
    const parameters = { ...NO_PARAMETERS, priority, timeoutMs };
    this.#scheduler.infer(aRequest({ inputs, parameters }), call, reply);
    asked.hasCome = true;
    // Only requests that wait again after a failed batch may exceed the size of the queue; new ones never do.
    if (this.#setting.queueSize > 0 && reply.outcome === 'pending')
      expect(this.#waitingAt(level)).toBeLessThanOrEqual(this.#setting.queueSize);
  }

  #levelOf(priority: number): number {
    if (this.#setting.levels === 0) return 0;
    return priority >= 1 && priority <= LEVELS ? priority : DEFAULT_LEVEL;
  }

  #timeoutMs(level: number, ownMs: number): number {
    const { timeoutUs, lowestTimeoutUs, mayOverride } = this.#setting;
    const policyMs = (level === LEVELS ? lowestTimeoutUs : timeoutUs) / 1000 || Infinity;
    return mayOverride && ownMs > 0 ? Math.min(ownMs, policyMs) : policyMs;
  }

  #waitingAt(level: number): number {
    return this.#asked.filter((it) => it.level === level && isWaiting(it)).length;
  }

  #started({ rows, buffer, tensors: [tensor] }: BatchFeed): void {
    const size = tensor!.shape[1]!;
    expect(rows).toBeLessThanOrEqual(MAX_BATCH_SIZE);
    expect(tensor!.byteLength).toBe(rows * size * 4);
    const values = new Float32Array(buffer, tensor!.byteOffset, rows * size);
    const members = [...new Set(Array.from(values, (value) => Math.floor(value / 100)))];
    const entries = members.map((index) => this.#asked[index]!);
    expect(entries.every(({ shape }) => shape[1] === size)).toBe(true);
    expect(entries.reduce((sum, { shape }) => sum + shape[0], 0)).toBe(rows);
    expect(entries.every(({ reply }) => reply.outcome === 'pending')).toBe(true);
    expect(entries.every((entry) => this.#isInTime(entry))).toBe(true);
    if (!this.#setting.combine || entries.some(({ hasRun }) => hasRun))
      expect(entries).toHaveLength(1);
    this.#checkOrder(members);
    for (const entry of entries) entry.hasRun = true;
  }

  /** To the moment, however late the timers are. */
  #isInTime({ call, timeoutAt, hasRun }: Asked): boolean {
    const now = this.#clock.now();
    if (now >= call.deadline) return false;
    return now < timeoutAt || hasRun || this.#setting.timeoutAction === 'DELAY';
  }

  /** Nobody who waits ranks before a member, nor do members among each other. */
  #checkOrder(members: readonly number[]): void {
    const first = members.filter((index) => isWaiting(this.#asked[index]!));
    const left = this.#asked.flatMap((asked, index) =>
      isWaiting(asked) && !members.includes(index) ? [index] : [],
    );
    first.forEach((member, at) => {
      for (const other of [...first.slice(at + 1), ...left])
        expect([other, this.#ranksBefore(other, member)]).toEqual([other, false]);
    });
  }

  /** False where it cannot be said: within a millisecond or so of a timeout. */
  #ranksBefore(a: number, b: number): boolean {
    const [one, other] = [this.#asked[a]!, this.#asked[b]!];
    if (one.level !== other.level) return one.level < other.level;
    const now = this.#clock.now();
    if (other.timeoutAt < now - 2) return one.timeoutAt > now;
    if (one.timeoutAt <= now || other.timeoutAt <= now) return false;
    if (!this.#setting.byDeadline) return a < b;
    // What is expected of the model then is not known here.
    if (this.#setting.shedLate) return false;
    const [oneEnds, otherEnds] = [one, other].map(({ call, timeoutAt }) =>
      Math.min(call.deadline, timeoutAt),
    ) as [number, number];
    return oneEnds === otherEnds ? a < b : oneEnds < otherEnds;
  }
}

/** For the first time. */
function isWaiting({ hasCome, hasRun, reply }: Asked): boolean {
  return hasCome && !hasRun && reply.outcome === 'pending';
}

function configOf(about: Setting): ReturnType<typeof aModelConfig> {
  const { queueSize, timeoutAction, mayOverride } = about;
  const policy = (timeoutUs: number): string => `
    max_queue_size: ${queueSize} default_timeout_microseconds: ${timeoutUs}
    timeout_action: ${timeoutAction} allow_timeout_override: ${mayOverride}`;
  const levels = `
    priority_levels: ${LEVELS} default_priority_level: ${DEFAULT_LEVEL}
    priority_queue_policy { key: ${LEVELS} value { ${policy(about.lowestTimeoutUs)} } }`;
  const batching = `dynamic_batching {
    preferred_batch_size: [ ${about.preferred.join(', ')} ]
    max_queue_delay_microseconds: ${about.delayUs}
    preserve_ordering: ${about.inOrder}
    default_queue_policy { ${policy(about.timeoutUs)} }
    ${about.levels > 0 ? levels : ''}
  }`;
  const config = aModelConfig(`
    max_batch_size: ${MAX_BATCH_SIZE}
    input [ { name: "INPUT0" data_type: TYPE_FP32 dims: [ -1 ] } ]
    output [ { name: "OUTPUT0" data_type: TYPE_FP32 dims: [ -1 ] } ]
    ${batching}
    parameters { key: "queue_order" value { string_value: "${about.byDeadline ? 'deadline' : 'arrival'}" } }
    parameters { key: "shed_late" value { string_value: "${about.shedLate}" } }`);
  return { ...config, batching: { ...config.batching, combine: about.combine } };
}

describe('BatchScheduler under random load', () => {
  it('answers every request exactly once, in the order it promises, and keeps its limits', async () => {
    await fc.assert(
      fc.asyncProperty(
        setting,
        fc.array(action, { maxLength: 50, size: 'max' }),
        async (about, actions) => {
          const simulation = new Simulation(about);
          for (const step of actions) await simulation.take(step);
          await simulation.finish();
          simulation.check();
        },
      ),
      { numRuns: 10_000 },
    );
  }, 120_000);
});
