import { beforeEach, describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import type { Call } from '../core/call.js';
import type {
  FinishedRequest,
  RequestFacts,
  RequestObserver,
  RequestTrace,
} from '../core/request-observer.js';
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

describe('what is sent to other servers for a request', () => {
  const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
  const asking = (
    observer: RequestObserver | undefined,
    metadata: Record<string, string>,
  ): { call: Call; end: () => void } => {
    const { model } = askModel(aMessage(), {
      ...(observer && { observer }),
      options: { metadata },
    });
    const end = (): void => {
      model.respond(y);
      model.end();
    };
    return { call: model.call!, end };
  };

  it('belongs to the trace that its observer settles, once and before the request has ended', () => {
    const asked: RequestFacts[] = [];
    const finished: FinishedRequest[] = [];
    const trace: RequestTrace = { headersFor: (call) => [['for', String(call.timings.queuedAt)]] };
    const { call, end } = asking(
      {
        traceOf: (facts) => (asked.push(facts), trace),
        requestFinished: (request) => void finished.push(request),
      },
      { traceparent: TRACEPARENT },
    );
    const leg = call.child(0).child(0);
    call.timings.queuedAt = 1;
    leg.timings.queuedAt = 2;

    const headers = [call, leg].map((each) => call.trace!.traceHeaders(each));
    expect(leg.trace).toBe(call.trace);
    end();

    expect(headers).toEqual([[['for', '1']], [['for', '2']]]);
    expect(asked.map(({ modelName }) => modelName)).toEqual(['m']);
    expect(asked[0]!.metadata('traceparent')).toBe(TRACEPARENT);
    expect(finished[0]!.trace).toBe(trace);
  });

  it('stays that of its caller once its observer has said that nobody traces it', () => {
    const answers = [undefined, { headersFor: () => [] }];
    const finished: FinishedRequest[] = [];
    const { call, end } = asking(
      {
        traceOf: () => answers.shift(),
        requestFinished: (request) => void finished.push(request),
      },
      { traceparent: TRACEPARENT },
    );

    const headers = [call, call].map((each) => each.trace!.traceHeaders(each));
    end();

    expect(headers).toEqual([[['traceparent', TRACEPARENT]], [['traceparent', TRACEPARENT]]]);
    expect(finished[0]!.trace).toBeNull();
  });

  it.each<[string, RequestObserver | undefined]>([
    ['nobody observes', undefined],
    ['nobody who observes traces', { requestFinished: () => undefined }],
    ['nobody traces that model', { requestFinished: () => undefined, traceOf: () => undefined }],
  ])('belongs to that of its caller where %s', (_what, observer) => {
    const { call } = asking(observer, { traceparent: TRACEPARENT, tracestate: 'a=1,b=2' });
    const untraced = asking(observer, {}).call;

    expect(call.trace!.traceHeaders(call)).toEqual([
      ['traceparent', TRACEPARENT],
      ['tracestate', 'a=1,b=2'],
    ]);
    expect(untraced.trace!.traceHeaders(untraced)).toBeUndefined();
  });

  it.each([
    '00-1',
    `${TRACEPARENT}\n`,
    TRACEPARENT.replace('00-', 'ff-'),
    TRACEPARENT.toUpperCase(),
    '00-00000000000000000000000000000000-b7ad6b7169203331-00',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-00',
  ])('is told of no trace that is none: %j', (traceparent) => {
    const { call } = asking(undefined, { traceparent });

    expect(call.trace!.traceHeaders(call)).toBeUndefined();
  });

  it.each(['\u00e4=1', '', 'a='.padEnd(513, '1')])(
    'leaves out a state that is none',
    (tracestate) => {
      const { call } = asking(undefined, { traceparent: TRACEPARENT, tracestate });

      expect(call.trace!.traceHeaders(call)).toEqual([['traceparent', TRACEPARENT]]);
    },
  );
});
