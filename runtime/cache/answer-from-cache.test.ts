import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse } from '../core/inference.js';
import { CacheStat, ModelStatistics } from '../core/model-statistics.js';
import type { Reply, Servable } from '../core/servable.js';
import type { Tensor } from '../core/tensor.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { observe } from '../layer/observe.js';
import { BatchScheduler } from '../scheduler/batch-scheduler.js';
import { RecordedReply, aBatchedConfig, aRequest, aTensor } from '../testing/build.js';
import { FakeClock } from '../testing/fake-clock.js';
import { PuppetRunner } from '../testing/puppet-runner.js';
import { servableConformance } from '../testing/servable-conformance.js';
import { answerFromCache } from './answer-from-cache.js';
import { LocalResponseCache } from './local-response-cache.js';
import type { CacheLookup, ResponseCache } from './response-cache.js';

const VERSION = { modelName: 'm', modelVersion: '1', content: 'files' };

/** A scheduler with a cache of this process around it. */
function cachedModel(
  content = 'files',
  cache: ResponseCache = new LocalResponseCache(100_000),
  options: { readonly summaries?: boolean } = {},
) {
  const clock = new FakeClock();
  const runner = new PuppetRunner();
  const stat = new CacheStat(options);
  const statistics = new ModelStatistics({ cache: stat });
  const config = aBatchedConfig();
  const wheel = new TimerWheel(clock);
  const scheduler = new BatchScheduler({
    ...{ config, version: '1', runner, clock, wheel, statistics },
  });
  const version = { ...VERSION, content };
  const cached = answerFromCache({ cache, version, statistics: stat, clock })(scheduler);
  const servable = observe(statistics, clock)(cached);
  const ask = async (request: InferenceRequest): Promise<RecordedReply> => {
    const reply = new RecordedReply();
    servable.infer(request, new Call(clock.now()), reply);
    clock.runDeferred();
    await runner.releaseAll();
    return reply;
  };
  return { clock, runner, statistics, stat, servable, ask, cache };
}

servableConformance('a model with a response cache', () => {
  const { clock, runner, servable } = cachedModel();
  return {
    servable,
    clock,
    finish: async () => {
      clock.runDeferred();
      await runner.releaseAll();
    },
    breakDown: async () => {
      clock.runDeferred();
      await runner.fail();
    },
  };
});

/** A cache that tells when it is told. */
class LateCache implements ResponseCache {
  readonly lookups: CacheLookup[] = [];
  readonly inserted: (readonly Tensor[])[] = [];

  lookup(...[, lookup]: [string, CacheLookup]): void {
    this.lookups.push(lookup);
  }

  insert(...[, outputs]: [string, readonly Tensor[]]): void {
    this.inserted.push(outputs);
  }

  usage(): undefined {
    return undefined;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function plain({ responses }: RecordedReply): unknown {
  return responses.map((response) => ({
    ...response,
    outputs: response.outputs.map((output) => ({ ...output, data: [...output.data] })),
  }));
}

describe('answerFromCache', () => {
  it('answers what was asked before without running it', async () => {
    const { runner, ask } = cachedModel();

    const first = await ask(aRequest({ id: 'a' }));
    const second = await ask(aRequest({ id: 'b' }));

    expect(runner.startedRows).toEqual([1]);
    expect(second.outcome).toBe('ok');
    expect(plain(second)).toEqual(plain(first));
  });

  it('counts a hit as a success and as no inference', async () => {
    const { statistics, ask } = cachedModel();

    for (let i = 0; i < 3; i++) await ask(aRequest());

    const { success, queue, input, infer, output, inferenceCount, executionCount } = statistics;
    expect([success, queue, input, infer, output].map(({ count }) => count)).toEqual([
      3, 3, 1, 1, 1,
    ]);
    expect([inferenceCount, executionCount]).toEqual([1, 1]);
    expect(statistics.cache?.hits.count).toBe(2);
    expect(statistics.cache?.misses.count).toBe(1);
    expect(statistics.computeLatency.counts.reduce((sum, count) => sum + count, 0)).toBe(1);
  });

  it('executes equal requests that come at once, each for itself', async () => {
    const { servable, clock, runner } = cachedModel();
    const replies = [new RecordedReply(), new RecordedReply()];

    for (const reply of replies) servable.infer(aRequest(), new Call(clock.now()), reply);
    clock.runDeferred();
    await runner.releaseAll();

    expect(runner.startedRows).toEqual([2]);
    expect(replies.map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
  });

  it('keeps no failure', async () => {
    const { servable, clock, runner, ask } = cachedModel();
    const failed = new RecordedReply();

    servable.infer(aRequest(), new Call(clock.now()), failed);
    clock.runDeferred();
    await runner.fail();
    const next = await ask(aRequest());

    expect([failed.outcome, next.outcome]).toEqual(['BACKEND_FAILED', 'ok']);
    expect(runner.startedRows).toEqual([1, 1]);
  });

  it('finds no answer of other files of the same version, and those of equal files', async () => {
    const { cache, ask } = cachedModel();
    const [changed, equal] = [cachedModel('other', cache), cachedModel('files', cache)];

    await ask(aRequest());
    await changed.ask(aRequest());
    await equal.ask(aRequest());

    expect(changed.runner.startedRows).toEqual([1]);
    expect(equal.runner.startedRows).toEqual([]);
  });

  it('answers random requests as a model without a cache does', async () => {
    const row = fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 }));
    const request = fc
      .record({
        rows: fc.array(row, { minLength: 1, maxLength: 2 }),
        outputs: fc.constantFrom([], [{ name: 'OUTPUT0', classCount: 0 }]),
        id: fc.constantFrom('', 'a'),
      })
      .map(({ rows, ...rest }) =>
        aRequest({ ...rest, inputs: [aTensor('INPUT0', [rows.length, 2], rows.flat())] }),
      );
    const sizes = fc.constantFrom(1, 900, 2000, 100_000);

    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 12 }), sizes, async (requests, size) => {
        const cached = cachedModel('files', new LocalResponseCache(size));
        for (const one of requests) {
          const expected = await cachedModel('files', new LocalResponseCache(1)).ask(one);

          expect(plain(await cached.ask(one))).toEqual(plain(expected));
        }
      }),
    );
  });
});

describe('answerFromCache with a cache that tells later', () => {
  it('does not run the model before it was told', async () => {
    const cache = new LateCache();
    const { servable, clock, runner } = cachedModel('files', cache);
    const reply = new RecordedReply();

    servable.infer(aRequest(), new Call(clock.now()), reply);
    clock.runDeferred();
    expect(runner.started).toHaveLength(0);
    cache.lookups[0]!.found(undefined);
    clock.runDeferred();
    await runner.releaseAll();

    expect(reply.outcome).toBe('ok');
    expect(cache.inserted).toHaveLength(1);
  });

  it('has what hits and misses take in quantiles, where those are asked for', async () => {
    const cache = new LateCache();
    const { servable, clock, runner, stat } = cachedModel('files', cache, { summaries: true });

    servable.infer(aRequest(), new Call(clock.now()), new RecordedReply());
    clock.advance(1);
    cache.lookups[0]!.found(undefined);
    clock.runDeferred();
    await runner.releaseAll();
    servable.infer(aRequest(), new Call(clock.now()), new RecordedReply());
    clock.advance(2);
    cache.lookups[1]!.found([]);

    const { hits, misses } = stat.digests!;
    expect([hits.count, hits.sum, misses.count, misses.sum]).toEqual([1, 2000, 1, 1000]);
    expect(cachedModel().stat.digests).toBeUndefined();
  });

  it('answers nobody who has gone meanwhile', () => {
    const cache = new LateCache();
    const { servable, clock } = cachedModel('files', cache);
    const [late, cancelled] = [new RecordedReply(), new RecordedReply()];
    const call = new Call(clock.now());

    servable.infer(aRequest(), new Call(clock.now(), clock.now() + 1), late);
    servable.infer(aRequest(), call, cancelled);
    clock.advance(1);
    call.cancel();
    for (const lookup of cache.lookups) lookup.found([]);

    expect([late.outcome, cancelled.outcome]).toEqual(['DEADLINE_EXCEEDED', 'CANCELLED']);
  });

  it('tells the caller deadline to the cache, and asks nothing for one that is over', () => {
    const cache = new LateCache();
    const { servable, clock } = cachedModel('files', cache);

    servable.infer(aRequest(), new Call(clock.now(), 1234), new RecordedReply());
    servable.infer(aRequest(), new Call(clock.now(), 1), new RecordedReply());

    expect(cache.lookups.map(({ deadline }) => deadline)).toEqual([1234]);
  });

  it.each<[string, (response: InferenceResponse, reply: Reply) => void]>([
    [
      'what the server says besides the outputs',
      (response, reply) => {
        reply.response({ ...response, parameters: new Map([['a', 1]]) });
        reply.end();
      },
    ],
    [
      'the answer of a fallback',
      (response, reply) => {
        reply.response({ ...response, degradation: { level: 'small', rank: 1 } });
        reply.end();
      },
    ],
    [
      'several responses',
      (response, reply) => {
        reply.response(response);
        reply.response(response);
        reply.end();
      },
    ],
    [
      'a response that failed after all',
      (response, reply) => {
        reply.response(response);
        reply.end(new RuntimeError('INTERNAL', 'no'));
      },
    ],
  ])('does not keep %s', (_, answer) => {
    const cache = new LateCache();
    const model: Servable = {
      infer: (...[, , reply]) => answer({ modelName: 'm', modelVersion: '1', outputs: [] }, reply),
    };
    const parts = { cache, version: VERSION, statistics: new CacheStat(), clock: new FakeClock() };

    answerFromCache(parts)(model).infer(aRequest(), new Call(0), new RecordedReply());
    cache.lookups[0]!.found(undefined);

    expect(cache.inserted).toEqual([]);
  });
});
