// All policies at once, while requests, answers, failures, cancellations and time come in any order.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import type { ErrorCode } from '../core/errors.js';
import { NO_PARAMETERS } from '../core/inference.js';
import type { PipelineNode } from '../core/pipeline-node.js';
import { stack } from '../core/servable.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { RecordedReply, aModelConfig, aRequest } from '../testing/build.js';
import { FakeCatalog, aServedModel } from '../testing/fake-catalog.js';
import { FakeClock } from '../testing/fake-clock.js';
import { HeldServable } from '../testing/held-servable.js';
import { POLICY_MODEL } from '../testing/policy-bench.js';
import { modelResilience } from './model-resilience.js';

const CONFIG = `resilience {
  max_concurrency: 6 timeout_microseconds: 80000
  fallback [
    { model_name: "small" }, { last_good { key_parameter: "user" } }, { model_name: "gone" }, { model_name: "tiny" }
  ]
  circuit_breaker { failure_threshold: 3 recovery_timeout_microseconds: 50000 half_open_max_requests: 2 }
  retry { max_attempts: 3 initial_backoff_microseconds: 4000 }
  hedge { delay_microseconds: 10000 max_attempts: 3 } }`;

const CODES: readonly ErrorCode[] = [
  'BACKEND_FAILED',
  'BACKEND_LOST',
  'INVALID_ARGUMENT',
  'QUEUE_FULL',
  'CANCELLED',
  'DEADLINE_EXCEEDED',
];

type Event =
  | { readonly kind: 'ask'; readonly timeoutMs: number; readonly user: string }
  | { readonly kind: 'answer' | 'cancel'; readonly which: number }
  | { readonly kind: 'fail'; readonly which: number; readonly code: ErrorCode }
  | { readonly kind: 'pass'; readonly ms: number };

const which = fc.nat(20);
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constant('ask' as const),
    timeoutMs: fc.constantFrom(Infinity, 5, 30, 79, 200),
    user: fc.constantFrom('ann', 'bob'),
  }),
  fc.record({ kind: fc.constantFrom('answer' as const, 'cancel' as const), which }),
  fc.record({ kind: fc.constant('fail' as const), which, code: fc.constantFrom(...CODES) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(40) }),
);

class Road {
  readonly clock = new FakeClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly models = [0, 1, 2].map(() => new HeldServable(this.clock));
  readonly catalog = new FakeCatalog()
    .serve(aServedModel({ name: 'small' }), this.models[1])
    .serve(aServedModel({ name: 'tiny' }), this.models[2]);
  readonly calls: Call[] = [];
  readonly replies: RecordedReply[] = [];
  readonly #servable;

  constructor() {
    const model = POLICY_MODEL;
    const inside: PipelineNode = { kind: 'model', name: 'model', model, children: [] };
    const { clock, wheel, catalog } = this;
    const parts = { clock, wheel, catalog, random: () => 0.5 };
    const made = modelResilience(aModelConfig(CONFIG).resilience, parts, { model, inside })!;
    this.#servable = stack(made.layers, this.models[0]!);
  }

  get open(): HeldServable['open'] {
    return this.models.flatMap(({ open }) => open);
  }

  /** What becomes of so many requests at once. */
  outcomes(count: number): string[] {
    const from = this.replies.length;
    for (let i = 0; i < count; i++) this.#ask(Infinity, 'ann');
    this.drain();
    return this.replies.slice(from).map(({ outcome }) => outcome);
  }

  happen(happening: Event): void {
    const { open } = this;
    switch (happening.kind) {
      case 'ask':
        this.#ask(happening.timeoutMs, happening.user);
        break;
      case 'answer':
        open[happening.which % open.length]?.answer();
        break;
      case 'fail':
        open[happening.which % open.length]?.fail(happening.code);
        break;
      case 'cancel':
        this.calls[happening.which % this.calls.length]?.cancel();
        break;
      case 'pass':
        this.clock.advance(happening.ms);
        break;
    }
  }

  /** Everything that goes on ends, whether well or not. */
  drain(): void {
    for (let round = 0; round < 30; round++) {
      for (const asked of this.open) asked.fail();
      this.clock.advance(20);
    }
  }

  /** Callers go at their deadlines, as at the door of the server. */
  leave(): void {
    for (const call of this.calls) if (this.clock.now() >= call.deadline) call.cancel();
  }

  #ask(timeoutMs: number, user: string): void {
    const parameters = { ...NO_PARAMETERS, custom: new Map([['user', user]]) };
    const call = new Call(this.clock.now(), this.clock.now() + timeoutMs);
    const reply = new RecordedReply();
    this.calls.push(call);
    this.replies.push(reply);
    this.#servable.infer(aRequest({ parameters }), call, reply);
  }
}

describe('a model with every policy, whatever happens', () => {
  it('answers every request once, with one response or none, and leaves nothing behind', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const road = new Road();

        for (const happening of events) road.happen(happening);
        road.drain();

        for (const { ends, responses } of road.replies) {
          expect(ends).toHaveLength(1);
          expect(responses).toHaveLength(ends[0] ? 0 : 1);
        }
        expect([road.wheel.size, road.clock.timerCount, road.open.length]).toEqual([0, 0, 0]);
        const found = road.catalog.acquired.filter((model) => model !== 'gone:');
        expect(road.catalog.released).toBe(found.length);
        expect(road.outcomes(6)).not.toContain('TOO_MANY_REQUESTS');
      }),
      { numRuns: 300 },
    );
  });

  it('gives nobody an answer after the time is over, and ends what it asked for them by then', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const road = new Road();

        for (const happening of events) road.happen(happening);
        road.clock.advance(82);
        road.leave();

        for (const { ends } of road.replies) expect(ends).toHaveLength(1);
        expect(road.open).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
