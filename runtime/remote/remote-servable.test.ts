import { describe, expect, it } from 'vitest';
import { completeInferRequest, readInferRequest } from '../frontend/infer-request-decoder.js';
import { Call } from '../core/call.js';
import { NO_PARAMETERS } from '../core/inference.js';
import type { InferenceResponse } from '../core/inference.js';
import { encodeInferResponse } from '../frontend/infer-response-encoder.js';
import {
  RecordedReply,
  aRequest,
  aResponse,
  aTensor,
  lengthPrefixed,
  rawTensor,
  valuesOf,
} from '../testing/build.js';
import { RemoteBench } from '../testing/remote-bench.js';
import { servableConformance } from '../testing/servable-conformance.js';

servableConformance('RemoteServable', () => {
  const bench = new RemoteBench();
  return {
    servable: bench.servable,
    clock: bench.clock,
    finish: () => {
      bench.at('a:1').answer();
      return Promise.resolve();
    },
    breakDown: () => {
      bench.at('a:1').fail();
      return Promise.resolve();
    },
  };
});

describe('RemoteServable', () => {
  it('asks for the model by its name there and answers under its name here', () => {
    const bench = new RemoteBench();

    const { reply } = bench.ask({ request: aRequest({ id: 'i', rows: 3 }) });
    const { message, path } = bench.at('a:1').calls[0]!;
    const outputs = [aTensor('OUTPUT0', [3, 2], [1, 2, 3, 4, 5, 6])];
    bench.at('a:1').answerWith({ modelName: 'there', modelVersion: '9', outputs });

    expect(path).toBe('/inference.GRPCInferenceService/ModelInfer');
    const wire = readInferRequest(message);
    const { request } = completeInferRequest(wire);
    expect([wire.modelName, wire.modelVersion, wire.id]).toEqual(['there', '', 'i']);
    expect(request.inputs[0]!.shape).toEqual([3, 2]);
    expect(request.outputs).toEqual([{ name: 'OUTPUT0', classCount: 0 }]);
    expect(reply.responses).toMatchObject([{ modelName: 'm', modelVersion: '1' }]);
    expect(valuesOf(reply.responses[0]!.outputs[0]!)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('counts what it took as computing, and rows', () => {
    const bench = new RemoteBench();

    const { call } = bench.ask({ request: aRequest({ rows: 3 }) });
    bench.clock.advance(7);
    bench.at('a:1').answerWith({ outputs: [aTensor('OUTPUT0', [3, 2], [1, 2, 3, 4, 5, 6])] });

    const { statistics, endpoints } = bench;
    expect(statistics.inferenceCount).toBe(3);
    expect(statistics.executionCount).toBe(1);
    expect(call.timings).toMatchObject({ inferMs: 7, batchSize: 3 });
    expect(call.timings.dispatchedAt).toBe(call.timings.queuedAt);
    expect(endpoints.all[0]!.figures).toMatchObject({ sent: 1, answered: 1, rows: 3, totalMs: 7 });
  });

  it('passes on how much time is left', () => {
    const bench = new RemoteBench();

    bench.ask({ deadline: bench.clock.now() + 250 });
    bench.ask();

    expect(bench.at('a:1').calls.map(({ timeoutMs }) => timeoutMs)).toEqual([250, Infinity]);
  });

  it('ends the call at the endpoint when its own is cancelled', () => {
    const bench = new RemoteBench();

    const { call, reply } = bench.ask();
    call.cancel();

    expect(bench.at('a:1').calls[0]!.isCancelled()).toBe(true);
    expect(reply.outcome).toBe('CANCELLED');
    expect(bench.endpoints.all[0]!.figures).toMatchObject({ abandoned: 1, failed: 0 });
    bench.at('a:1').fail(1, 'Cancelled on client');
    expect(reply.ends).toHaveLength(1);
  });

  it.each<[string, (bench: RemoteBench) => void]>([
    [
      'its caller’s cancellation',
      (bench) => {
        bench.ask().call.cancel();
      },
    ],
    [
      'a wrong request',
      (bench) => {
        bench.ask();
        bench.at('b:1').fail(3, 'no');
      },
    ],
    [
      'an unknown model',
      (bench) => {
        bench.ask();
        bench.at('b:1').fail(5, 'no');
      },
    ],
  ])('does not blame an endpoint for %s', (_what, fail) => {
    const bench = new RemoteBench(['a:1', 'b:1']);
    for (let i = 0; i < 10; i++) {
      bench.route(1);
      fail(bench);
    }

    expect(bench.endpoints.all.map((endpoint) => endpoint.state())).not.toContain('EJECTED');
  });

  it('blames one that does not answer in the time that the configuration gives it', () => {
    const bench = new RemoteBench(['a:1', 'b:1']);

    for (let i = 0; i < 3; i++) {
      const { call } = bench.ask({ tried: ['m a:1'], limit: bench.clock.now() + 50 });
      bench.clock.advance(50);
      call.cancel();
    }

    const [, hung] = bench.endpoints.all;
    expect(hung!.state()).toBe('EJECTED');
    expect(hung!.figures).toMatchObject({ failed: 3, timedOut: 3, abandoned: 0 });
  });

  it('blames one for a caller’s deadline only where others answer in far less', () => {
    const bench = new RemoteBench(['a:1', 'b:1']);
    const late = (waitMs: number): void => {
      bench.ask({ tried: ['m a:1'], deadline: bench.clock.now() + waitMs });
      bench.clock.advance(waitMs);
      bench.at('b:1').fail(4, 'Deadline exceeded');
    };
    bench.ask({ tried: ['m b:1'] });
    bench.clock.advance(10);
    bench.at('a:1').answer();

    for (let i = 0; i < 9; i++) late(39);
    expect(bench.endpoints.all[1]!.state()).toBe('SERVING');
    for (let i = 0; i < 3; i++) late(40);

    expect(bench.endpoints.all[1]!.state()).toBe('EJECTED');
  });

  it('does not mind where another model of the same pipeline was sent', () => {
    const bench = new RemoteBench(['a:1', 'b:1']);
    bench.break('b:1');

    const call = new Call(bench.clock.now());
    call.tried = ['other a:1'];
    bench.servable.infer(aRequest(), call, new RecordedReply());

    expect(bench.endpoints.all[1]!.state()).toBe('EJECTED');
    expect(call.tried).toEqual(['other a:1', 'm a:1']);
  });

  it('answers without asking anybody when there is no endpoint', () => {
    const bench = new RemoteBench([]);

    const { reply } = bench.ask();

    expect(reply.outcome).toBe('BACKEND_LOST');
    expect(reply.ends[0]!.message).toContain("model 'm' has no endpoint");
  });

  it.each([
    ['is no message', undefined, 'not a valid protobuf message'],
    ['lacks an output', { outputs: [] }, "there is no output 'OUTPUT0'"],
    [
      'has another type',
      { outputs: [rawTensor('OUTPUT0', 'INT32', { shape: [1, 2], data: new Uint8Array(8) })] },
      'is INT32, FP32 was expected',
    ],
    [
      'has another shape',
      { outputs: [aTensor('OUTPUT0', [1, 3], [1, 2, 3])] },
      'has shape [1,3], [-1,2] was expected',
    ],
    [
      'has too few bytes',
      { outputs: [aTensor('OUTPUT0', [1, 2], [1])] },
      'has 4 bytes, its shape needs 8',
    ],
    [
      'has more rows than were asked',
      { outputs: [aTensor('OUTPUT0', [2, 2], [1, 2, 3, 4])] },
      'has shape [2,2], 1 rows were asked',
    ],
  ])('fails when the answer %s', (_what, response, text) => {
    const bench = new RemoteBench();

    const { reply } = bench.ask();
    if (response) bench.at('a:1').answerWith(response);
    else bench.at('a:1').answer(Buffer.of(0xff, 0xff));

    expect(reply.outcome).toBe('BACKEND_FAILED');
    expect(reply.ends[0]!.message).toContain("endpoint 'a:1' of model 'm'");
    expect(reply.ends[0]!.message).toContain(text);
    expect(bench.endpoints.all[0]!.figures.failed).toBe(1);
  });

  it.each<[string, Uint8Array]>([
    ['end in a length', Uint8Array.of(1, 0, 0, 0, 65, 1, 0)],
    ['end in an element', Uint8Array.of(1, 0, 0, 0, 65, 9, 0, 0, 0, 66)],
    ['are too few', Uint8Array.of(1, 0, 0, 0, 65)],
    ['are too many', Buffer.from(lengthPrefixed(['A', 'B', 'C']))],
  ])('fails when the texts of an answer %s', (_what, data) => {
    const texts = (bytes: Uint8Array): Partial<InferenceResponse> => ({
      outputs: [rawTensor('OUTPUT0', 'BYTES', { shape: [1, 2], data: bytes })],
    });
    const bench = new RemoteBench(['a:1'], { outputType: 'BYTES' });

    const [wrong, right] = [bench.ask(), bench.ask()];
    bench.at('a:1').answerWith(texts(data), 1);
    bench.at('a:1').answerWith(texts(lengthPrefixed(['A', '\u00e4'])));

    expect([wrong.reply.outcome, right.reply.outcome]).toEqual(['BACKEND_FAILED', 'ok']);
    expect(wrong.reply.ends[0]!.message).toContain('is not the 2 BYTES elements of its shape');
  });

  it.each([
    ['mine', 'ok'],
    ['', 'ok'],
    ['other', 'BACKEND_FAILED'],
  ])('gives nobody the answer to another request: %s', (id, outcome) => {
    const bench = new RemoteBench();

    const { reply } = bench.ask({ request: aRequest({ id: 'mine' }) });
    bench.at('a:1').answer(encodeInferResponse(aResponse(), id));

    expect(reply.outcome).toBe(outcome);
  });

  it('takes the id that an endpoint makes up where there is none', () => {
    const bench = new RemoteBench();

    const { reply } = bench.ask();
    bench.at('a:1').answer(encodeInferResponse(aResponse(), 'made up'));

    expect(reply.outcome).toBe('ok');
  });

  it('tells the endpoint of the trace that it belongs to, for the leg that it is', () => {
    const bench = new RemoteBench();
    const seen: Call[] = [];
    const headers = [['traceparent', '00-1']] as const;

    const { call } = bench.ask({
      trace: { traceHeaders: (asked) => (seen.push(asked), headers) },
    });
    bench.ask();

    expect(seen).toEqual([call]);
    expect(bench.at('a:1').calls.map((sent) => sent.headers)).toEqual([headers, undefined]);
  });

  it('fails, and leaves nothing under way, when the call cannot be made', () => {
    const bench = new RemoteBench();

    const { reply } = bench.ask({
      trace: {
        traceHeaders: () => {
          throw new Error('no header');
        },
      },
    });

    expect(reply.outcome).toBe('INTERNAL');
    expect(bench.at('a:1').calls).toHaveLength(0);
    expect(bench.endpoints.all[0]!.figures).toMatchObject({ sent: 1, failed: 1 });
  });

  it('leaves out outputs that are not declared', () => {
    const bench = new RemoteBench();
    const outputs = ['more', 'OUTPUT0'].map((name) => aTensor(name, [1, 2], [3, 4]));

    const { reply } = bench.ask();
    bench.at('a:1').answerWith({ outputs });

    expect(reply.responses[0]!.outputs.map(({ name }) => name)).toEqual(['OUTPUT0']);
  });

  it('hands on the parameters of the answer, and how degraded it is', () => {
    const bench = new RemoteBench();
    const parameters = new Map<string, string | number | boolean>([
      ['note', 'n'],
      ['served_by', 'there:1'],
      ['attempts', 2],
      ['hedged', true],
      ['degradation_level', 'rules'],
    ]);

    const { reply } = bench.ask();
    bench.at('a:1').answerWith({ parameters });

    expect(reply.responses[0]!.parameters).toEqual(new Map([['note', 'n']]));
    expect(reply.responses[0]!.degradation).toEqual({ level: 'rules', rank: 1 });
  });

  it('hands on the parameters of the request', () => {
    const bench = new RemoteBench();
    const custom = new Map<string, string | number | boolean | bigint>([
      ['text', 'ä'],
      ['half', 0.5],
      ['whole', -3],
      ['large', 2n ** 62n],
      ['yes', true],
    ]);
    const parameters = {
      ...{ ...NO_PARAMETERS, custom, sequenceId: 2n ** 63n - 1n, sequenceStart: true },
      ...{ priority: 2, timeoutMs: 1.5 },
    };

    bench.ask({ request: aRequest({ parameters }) });

    const { request } = completeInferRequest(readInferRequest(bench.at('a:1').calls[0]!.message));
    expect(request.parameters).toEqual(parameters);
  });
});
