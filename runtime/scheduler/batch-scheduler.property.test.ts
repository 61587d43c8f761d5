// Random arrivals, cancellations, deadlines, failures and time: whatever happens, every request is answered exactly once, no batch
// exceeds its limits, and nothing is left behind.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import { ModelStatistics } from '../core/model-statistics.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { RecordedReply, aModelConfig, aRequest, aTensor } from '../testing/build.js';
import { FakeClock } from '../testing/fake-clock.js';
import { PuppetRunner } from '../testing/puppet-runner.js';
import { BatchScheduler } from './batch-scheduler.js';

const MAX_BATCH_SIZE = 6;

const action = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      rows: fc.integer({ min: 1, max: 5 }),
      size: fc.integer({ min: 1, max: 2 }),
      deadlineMs: fc.option(fc.integer({ min: -2, max: 60 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(40) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const) }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

const setting = fc.record({
  preferred: fc.uniqueArray(fc.integer({ min: 1, max: MAX_BATCH_SIZE }), { maxLength: 2 }),
  delayUs: fc.constantFrom(0, 500, 20_000),
  queueSize: fc.constantFrom(0, 3),
  timeoutUs: fc.constantFrom(0, 15_000),
  timeoutAction: fc.constantFrom('REJECT', 'DELAY'),
  instances: fc.integer({ min: 1, max: 3 }),
});
type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never;

class Simulation {
  readonly #setting: Setting;
  readonly #clock = new FakeClock();
  readonly #wheel = new TimerWheel(this.#clock);
  readonly #runner: PuppetRunner;
  readonly #statistics = new ModelStatistics();
  readonly #scheduler: BatchScheduler;
  readonly #asked: { reply: RecordedReply; call: Call; shape: [number, number] }[] = [];

  constructor(about: Setting) {
    this.#setting = about;
    this.#runner = new PuppetRunner(about.instances);
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
    else if (this.#busy)
      await (step.kind === 'release' ? this.#runner.release() : this.#runner.fail());
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
    for (const { rows, tensors } of this.#runner.started) {
      expect(rows).toBeLessThanOrEqual(MAX_BATCH_SIZE);
      expect(tensors[0]!.byteLength).toBe(rows * tensors[0]!.shape[1]! * 4);
    }
    expect(this.#statistics.pending).toBe(0);
    expect(this.#wheel.size).toBe(0);
    expect(this.#clock.timerCount).toBe(0);
  }

  get #busy(): boolean {
    return this.#runner.idle < this.#setting.instances;
  }

  #ask({
    rows,
    size,
    deadlineMs,
  }: {
    rows: number;
    size: number;
    deadlineMs: number | null;
  }): void {
    const now = this.#clock.now();
    const call = new Call(now, deadlineMs === null ? undefined : now + deadlineMs);
    const reply = new RecordedReply();
    const values = Array.from({ length: rows * size }, (_, i) => this.#asked.length * 100 + i);
    const inputs = [aTensor('INPUT0', [rows, size], values)];
    this.#scheduler.infer(aRequest({ inputs }), call, reply);
    this.#asked.push({ reply, call, shape: [rows, size] });
    // Only requests that wait again after a failed batch may exceed the size of the queue; new ones never do.
    if (this.#setting.queueSize > 0 && reply.outcome === 'pending')
      expect(this.#statistics.pending).toBeLessThanOrEqual(this.#setting.queueSize);
  }
}

function configOf(about: Setting): ReturnType<typeof aModelConfig> {
  return aModelConfig(`
    max_batch_size: ${MAX_BATCH_SIZE}
    input [ { name: "INPUT0" data_type: TYPE_FP32 dims: [ -1 ] } ]
    output [ { name: "OUTPUT0" data_type: TYPE_FP32 dims: [ -1 ] } ]
    dynamic_batching {
      preferred_batch_size: [ ${about.preferred.join(', ')} ]
      max_queue_delay_microseconds: ${about.delayUs}
      default_queue_policy {
        max_queue_size: ${about.queueSize}
        default_timeout_microseconds: ${about.timeoutUs}
        timeout_action: ${about.timeoutAction}
      }
    }`);
}

describe('BatchScheduler under random load', () => {
  it('answers every request exactly once and keeps its limits', async () => {
    await fc.assert(
      fc.asyncProperty(setting, fc.array(action, { maxLength: 50 }), async (about, actions) => {
        const simulation = new Simulation(about);
        for (const step of actions) await simulation.take(step);
        await simulation.finish();
        simulation.check();
      }),
      { numRuns: 3000 },
    );
  });
});
