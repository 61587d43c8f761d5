import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import type { PipelineNode } from '../core/pipeline-node.js';
import { stack, type Servable } from '../core/servable.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { RecordedReply, aModelConfig, aRequest, aResponse } from '../testing/build.js';
import { FakeCatalog, aServedModel } from '../testing/fake-catalog.js';
import { FakeClock } from '../testing/fake-clock.js';
import { HeldServable } from '../testing/held-servable.js';
import { servableConformance } from '../testing/servable-conformance.js';
import { POLICY_MODEL } from '../testing/policy-bench.js';
import { modelResilience, type ModelResilience } from './model-resilience.js';

const ALL = `
  max_concurrency: 64 timeout_microseconds: 80000
  fallback { model_name: "small" level: "reduced" }
  circuit_breaker { failure_threshold: 2 } retry { max_attempts: 2 } hedge { delay_microseconds: 10000 }`;

class Bench {
  readonly clock = new FakeClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly model = new HeldServable(this.clock);
  readonly small = new HeldServable(this.clock);
  readonly catalog = new FakeCatalog().serve(aServedModel({ name: 'small' }), this.small);
  readonly made: ModelResilience | undefined;
  readonly servable: Servable;

  constructor(resilience: string) {
    const { clock, wheel, catalog } = this;
    const model = POLICY_MODEL;
    const inside: PipelineNode = { kind: 'model', name: 'model', model, children: [] };
    const parts = { clock, wheel, catalog, random: () => 0.5 };
    const { resilience: config } = aModelConfig(resilience);
    this.made = modelResilience(config, parts, { model, inside });
    this.servable = stack(this.made?.layers ?? [], this.model);
  }

  ask(): RecordedReply {
    const reply = new RecordedReply();
    this.servable.infer(aRequest(), new Call(this.clock.now()), reply);
    return reply;
  }
}

const all = (): Bench => new Bench(`resilience { ${ALL} }`);

servableConformance('a model with every policy', () => {
  const { servable, clock, model, small } = all();
  return {
    servable,
    clock,
    finish: () => {
      for (const asked of model.open) asked.answer();
      return Promise.resolve();
    },
    breakDown: () => {
      for (let round = 0; round < 5; round++) {
        for (const asked of [...model.open, ...small.open]) asked.fail();
        clock.advance(20);
      }
      return Promise.resolve();
    },
  };
});

/** "fallback(circuit-breaker(model), fallback-target)" */
function written({ kind, children }: PipelineNode): string {
  return children.length === 0 ? kind : `${kind}(${children.map(written).join(', ')})`;
}

describe('modelResilience', () => {
  it.each(['', 'resilience { }'])('is nothing at all for %j: no layer, no node', (config) => {
    const bench = new Bench(config);

    expect(bench.made).toBeUndefined();
    expect(bench.servable).toBe(bench.model);
  });

  it('puts the policies around each other in their order', () => {
    expect(written(all().made!.node)).toBe(
      'concurrency-limit(timeout(fallback(circuit-breaker(retry(hedge(model))), fallback-target)))',
    );
  });

  it('has a layer for each policy that is set, one that tells, and one that counts', () => {
    expect(new Bench('resilience { timeout_microseconds: 1 }').made!.layers).toHaveLength(3);
    expect(all().made!.layers).toHaveLength(8);
  });

  it('answers with whom, how often and whether hedged', () => {
    const bench = all();

    const reply = bench.ask();
    bench.clock.advance(11);
    bench.model.asked[1]!.answer();

    expect(reply.responses[0]!.parameters).toEqual(
      new Map<string, unknown>([
        ['served_by', 'm:1'],
        ['attempts', 2],
        ['hedged', true],
      ]),
    );
  });

  it('goes from legs to attempts to fallbacks, and past a breaker that is open', () => {
    const bench = all();
    const attempt = (): void => {
      for (const asked of bench.model.open) asked.fail('BACKEND_LOST');
      bench.clock.advance(11);
    };
    const answer = (): void =>
      bench.small.open[0]!.answer(aResponse({ modelName: 'small', modelVersion: '9' }));

    const replies = [0, 1].map(() => {
      const reply = bench.ask();
      attempt();
      attempt();
      answer();
      return reply;
    });
    const short = bench.ask();
    answer();

    const told = [...replies, short].map((reply) =>
      Object.fromEntries(reply.responses[0]!.parameters!),
    );
    const small = { served_by: 'small:9', hedged: false, degradation_level: 'reduced' };
    expect(told).toEqual([
      { ...small, attempts: 3 },
      { ...small, attempts: 3 },
      { ...small, attempts: 1 },
    ]);
    expect(bench.model.asked).toHaveLength(4);
    expect(bench.catalog.released).toBe(3);
  });

  it('leaves nothing under way when the time is over', () => {
    const bench = all();

    const reply = bench.ask();
    bench.clock.advance(81);

    expect(reply.outcome).toBe('DEADLINE_EXCEEDED');
    expect([...bench.model.open, ...bench.small.open]).toEqual([]);
    expect(bench.small.asked).toHaveLength(1);
    expect(bench.clock.timerCount).toBe(0);
  });
});
