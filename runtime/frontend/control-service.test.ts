import { describe, expect, it } from 'vitest';
import { LegFigures } from '../core/leg.js';
import { PipelineCounter, type PipelineNode } from '../core/pipeline-node.js';
import { answerOf, failureOf, type MethodNames } from '../testing/ask-service.js';
import { FakeCatalog, aServedModel } from '../testing/fake-catalog.js';
import { FakeClock } from '../testing/fake-clock.js';
import { controlMethods } from './control-service.js';
import type { Message } from './message-codec.js';

function aPipeline(): PipelineNode {
  const clock = new FakeClock();
  const figures = Object.assign(new LegFigures(), { sent: 3, answered: 2, timedOut: 1, failed: 1 });
  figures.totalMs = 5;
  figures.latency.add(2000, clock.now());
  const opened = new PipelineCounter('opened', { by: 'failures' });
  opened.value = 4;
  return {
    ...{ kind: 'ensemble', name: '' },
    children: [
      {
        ...{ kind: 'step', name: '0', model: { name: 'part', version: 0 }, figures },
        ...{ settings: { timeout: '5 ms' }, after: ['1'], children: [] },
      },
      {
        ...{ kind: 'circuit-breaker', name: '', state: () => 'OPEN', counters: [opened] },
        ...{ settings: { failures: '5' }, children: [] },
      },
    ],
  };
}

const CATALOG = new FakeCatalog()
  .serve(aServedModel({ name: 'whole', version: 2, pipeline: aPipeline() }))
  .serve(aServedModel({ name: 'part', version: 1 }));

const METHODS = controlMethods({ catalog: CATALOG, clock: new FakeClock() });

function controlNames(name: string): MethodNames {
  return {
    path: `/inferd.v1.Control/${name}`,
    request: `inferd.v1.${name}Request`,
    response: `inferd.v1.${name}Response`,
  };
}

const ask = (name: string, request: Message): Promise<Message> =>
  answerOf(METHODS, controlNames(name), request);

describe('inferd.v1.Control', () => {
  it('tells the trees of all models that have one, with their figures', async () => {
    const { pipelines } = (await ask('Pipelines', {})) as { pipelines: Record<string, unknown>[] };

    expect(pipelines).toHaveLength(1);
    expect(pipelines[0]).toMatchObject({
      name: 'whole',
      version: '2',
      root: {
        kind: 'ensemble',
        children: [
          {
            ...{ kind: 'step', name: '0', after: ['1'], settings: { timeout: '5 ms' } },
            model: { name: 'part', version: '' },
            figures: { sent: 3, answered: 2, failed: 1, timed_out: 1, mean_microseconds: 2500 },
          },
          { kind: 'circuit-breaker', state: 'OPEN' },
        ],
      },
    });
  });

  it('tells of a model that is named, whatever it is', async () => {
    const { pipelines } = await ask('Pipelines', { model_name: 'part' });

    expect(pipelines).toMatchObject([{ name: 'part', root: { kind: 'model', children: [] } }]);
  });

  it.each([{ model_name: 'nosuch' }, { model_name: 'whole', model_version: '1' }])(
    'does not know %o',
    async (request) => {
      const { code } = await failureOf(METHODS, controlNames('Pipelines'), request);

      expect(code).toBe(5);
    },
  );

  it('tells the state of every circuit breaker', async () => {
    const { circuit_breakers: breakers } = await ask('CircuitBreakers', {});

    expect(breakers).toEqual([
      {
        ...{ model_name: 'whole', model_version: '2', state: 'OPEN', settings: { failures: '5' } },
        counters: [{ name: 'opened', labels: { by: 'failures' }, value: 4 }],
      },
    ]);
  });
});
