import { beforeEach, describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import type { FinishedRequest, RequestObserver } from '../core/request-observer.js';
import { askModel, aMessage, replyTo } from '../testing/ask-model.js';
import { aTensor } from '../testing/build.js';

const y = aTensor('OUTPUT0', [1, 3], [0.1, 0.7, 0.2]);

describe('a request that asks for its timings', () => {
  it('is told how long it waited and computed, and in which batch', () => {
    const asked = askModel(aMessage({ parameters: { inferd_timings: { bool_param: true } } }));
    const { timings } = asked.model.call!;
    Object.assign(timings, { queuedAt: 1, dispatchedAt: 1.25, completedAt: 4, batchSize: 3 });

    asked.model.respond(y);
    asked.model.end();

    expect(replyTo(asked)['parameters']).toMatchObject({
      queue_us: { int64_param: 250 },
      compute_us: { int64_param: 2750 },
      batch_size: { int64_param: 3 },
    });
  });

  it.each([{}, { inferd_timings: { bool_param: false } }])(
    'is told nothing for %j',
    (parameters) => {
      const asked = askModel(aMessage({ parameters }));

      asked.model.respond(y);
      asked.model.end();

      expect(replyTo(asked)['parameters']).toEqual({});
    },
  );
});

describe('who observes requests', () => {
  const seen: FinishedRequest[] = [];
  const observer: RequestObserver = { requestFinished: (request) => void seen.push(request) };

  beforeEach(() => {
    seen.length = 0;
  });

  it('is told of an answer when it has left', () => {
    const asked = askModel(aMessage(), {
      observer,
      options: { metadata: { traceparent: '00-1' } },
    });

    asked.model.respond(y);
    const before = asked.clock.now();
    asked.clock.advance(5);
    expect(seen).toEqual([]);
    asked.model.end();

    expect(seen).toMatchObject([
      { modelName: 'm', modelVersion: '1', id: 'r1', endedAt: before + 5, error: undefined },
    ]);
    expect(seen[0]!.timings).toBe(asked.model.call!.timings);
    expect(seen[0]!.metadata('traceparent')).toBe('00-1');
  });

  it('is told of failures, also of those for which there is no model', () => {
    askModel(aMessage(), { observer }).model.end(new RuntimeError('QUEUE_FULL', 'full'));
    askModel(aMessage({ model_name: 'nosuch' }), { observer });
    askModel(Buffer.of(0xff), { observer });

    expect(
      seen.map(({ modelName, modelVersion, error }) => [modelName, modelVersion, error?.code]),
    ).toEqual([
      ['m', '1', 'QUEUE_FULL'],
      ['nosuch', '', 'NOT_FOUND'],
      ['', '', 'INVALID_ARGUMENT'],
    ]);
  });
});
