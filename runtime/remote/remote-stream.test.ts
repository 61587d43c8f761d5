import { describe, expect, it } from 'vitest';
import type { Pace, PaceListener } from '../core/call.js';
import { completeInferRequest, readInferRequest } from '../frontend/infer-request-decoder.js';
import { aRequest, aTensor, valuesOf, type RecordedReply } from '../testing/build.js';
import { RemoteBench } from '../testing/remote-bench.js';
import { servableConformance } from '../testing/servable-conformance.js';

const DECOUPLED = { decoupled: true };

function decoupledBench(addresses?: readonly string[]): RemoteBench {
  return new RemoteBench(addresses, DECOUPLED);
}

/** Values of the first output, by answer. */
function valuesIn({ responses }: RecordedReply): number[][] {
  return responses.map(({ outputs }) => valuesOf(outputs[0]!));
}

function rowOf(...values: number[]): { outputs: ReturnType<typeof aTensor>[] } {
  return { outputs: [aTensor('OUTPUT0', [values.length / 2, 2], values)] };
}

class FakePace implements Pace {
  isBehind = false;
  readonly listeners: PaceListener[] = [];

  onReady(listener: PaceListener): void {
    this.listeners.push(listener);
  }

  catchUp(): void {
    this.isBehind = false;
    for (const listener of this.listeners.splice(0)) listener.readerReady();
  }
}

servableConformance('a decoupled remote model', () => {
  const bench = decoupledBench();
  return {
    servable: bench.servable,
    clock: bench.clock,
    finish: () => {
      const [stream] = bench.at('a:1').streams;
      stream?.answer({}, true);
      stream?.end();
      return Promise.resolve();
    },
    breakDown: () => {
      bench.streamAt('a:1').end(14, 'gone');
      return Promise.resolve();
    },
  };
});

describe('a decoupled remote model', () => {
  it('asks in a stream of its own for its answers and for the last one', () => {
    const bench = decoupledBench();

    bench.ask({ request: aRequest({ id: 'i' }), deadline: bench.clock.now() + 250 });

    const { path, message, timeoutMs, headers } = bench.streamAt('a:1').call;
    expect(path).toBe('/inference.GRPCInferenceService/ModelStreamInfer');
    expect([timeoutMs, headers]).toEqual([250, [['inferd_error_status', 'true']]]);
    const wire = readInferRequest(message);
    expect([wire.modelName, wire.id]).toEqual(['there', 'i']);
    const { parameters } = completeInferRequest(wire).request;
    expect(parameters.enableEmptyFinalResponse).toBe(true);
  });

  it('hands answers on as they come, and ends with the one that says that it is the last', () => {
    const bench = decoupledBench();

    const { reply } = bench.ask();
    const stream = bench.streamAt('a:1');
    stream.answer({ ...rowOf(1, 2), parameters: new Map([['note', 'n']]) });
    stream.answer(rowOf(3, 4, 5, 6));
    expect([valuesIn(reply), reply.outcome]).toEqual([
      [
        [1, 2],
        [3, 4, 5, 6],
      ],
      'pending',
    ]);
    stream.answer(rowOf(7, 8), true);

    expect([valuesIn(reply).at(-1), reply.outcome]).toEqual([[7, 8], 'ok']);
    expect(reply.responses[0]).toMatchObject({
      ...{ modelName: 'm', modelVersion: '1', parameters: new Map([['note', 'n']]) },
    });
    expect(reply.responses[1]!.parameters).toBeUndefined();
  });

  it('may end without an answer, where the endpoint says so', () => {
    const bench = decoupledBench();

    const { reply } = bench.ask();
    bench.streamAt('a:1').final();

    expect([reply.responses, reply.outcome]).toEqual([[], 'ok']);
  });

  it('ends with the stream where the endpoint knows nothing of last answers', () => {
    const bench = decoupledBench();
    // ModelStreamInferResponse: infer_response with one output, FP32 [1, 2], and its eight bytes.
    const output = Buffer.from('0a074f5554505554301204465033321a020102', 'hex');
    const response = Buffer.concat([
      ...[Buffer.of(0x2a, output.length), output, Buffer.of(0x32, 8)],
      Buffer.from(Float32Array.of(1, 2).buffer),
    ]);

    const { reply } = bench.ask();
    bench
      .streamAt('a:1')
      .listener.message(Buffer.concat([Buffer.of(0x12, response.length), response]));
    expect(reply.outcome).toBe('pending');
    bench.streamAt('a:1').end();

    expect([valuesIn(reply), reply.outcome]).toEqual([[[1, 2]], 'ok']);
  });

  it.each<[string, number, string]>([
    ['without an answer', 0, 'ended the stream without an answer'],
    ['between two answers', 2, 'ended the stream before its last answer'],
  ])('fails when the stream ends well %s', (_what, answers, text) => {
    const bench = decoupledBench();

    const { reply } = bench.ask();
    for (let i = 0; i < answers; i++) bench.streamAt('a:1').answer();
    bench.streamAt('a:1').end();

    expect([reply.responses.length, reply.outcome]).toEqual([answers, 'BACKEND_FAILED']);
    expect(reply.ends[0]!.message).toBe(`endpoint 'a:1' of model 'm' ${text}`);
  });

  it('says what went wrong in mid-stream, after what was answered before', () => {
    const bench = decoupledBench();

    const { reply } = bench.ask();
    bench.streamAt('a:1').answer();
    bench.streamAt('a:1').end(13, 'Received RST_STREAM with code 2');

    expect([reply.responses.length, reply.outcome]).toEqual([1, 'BACKEND_LOST']);
    expect(reply.ends[0]!.message).toMatch("endpoint 'a:1' of model 'm': the connection was lost");
  });

  it.each<[number | undefined, string, string]>([
    [3, 'INVALID_ARGUMENT', 'why'],
    [5, 'NOT_FOUND', "endpoint 'a:1' of model 'm': why"],
    [13, 'BACKEND_FAILED', "endpoint 'a:1' of model 'm': why"],
    [undefined, 'BACKEND_FAILED', "endpoint 'a:1' of model 'm': why"],
  ])('takes an error in the stream for what its status %s says: %s', (status, code, text) => {
    const bench = decoupledBench();

    const { reply } = bench.ask();
    bench.streamAt('a:1').answer();
    bench.streamAt('a:1').error('why', status);
    bench.streamAt('a:1').end();

    expect(reply.ends.map((error) => [error?.code, error?.message])).toEqual([[code, text]]);
    expect(reply.responses).toHaveLength(1);
  });

  it.each([
    ['no message', Buffer.of(0xff, 0xff), 'not a valid protobuf message'],
    ['nothing', Buffer.alloc(0), 'sent a message that says nothing'],
    ['an answer without outputs', Buffer.of(0x12, 0), "there is no output 'OUTPUT0'"],
  ])('fails and ends the stream for %s', (_what, message, text) => {
    const bench = decoupledBench();

    const { reply } = bench.ask();
    bench.streamAt('a:1').listener.message(message);
    bench.clock.advance(5_000);

    expect(reply.outcome).toBe('BACKEND_FAILED');
    expect(reply.ends[0]!.message).toContain(text);
    expect(bench.streamAt('a:1').isCancelled).toBe(true);
  });

  it('gives nobody the answer to another request', () => {
    const bench = decoupledBench();

    const { reply } = bench.ask({ request: aRequest({ id: 'mine' }) });
    bench.streamAt('a:1').answer({}, false, 'mine');
    bench.streamAt('a:1').answer({}, false, 'other');

    expect([reply.responses.length, reply.outcome]).toEqual([1, 'BACKEND_FAILED']);
    expect(reply.ends[0]!.message).toContain("it is for request 'other', 'mine' was asked");
  });

  it('ends the stream at the endpoint when its call is cancelled, and hears nothing more', () => {
    const bench = decoupledBench();

    const { call, reply } = bench.ask();
    const stream = bench.streamAt('a:1');
    stream.answer();
    call.cancel();
    stream.answer();
    stream.end(1, 'Cancelled on client');

    expect(stream.isCancelled).toBe(true);
    expect([reply.responses.length, reply.outcome, reply.ends.length]).toEqual([1, 'CANCELLED', 1]);
    expect(bench.endpoints.all[0]!.figures).toMatchObject({ abandoned: 1, failed: 0 });
  });

  it('counts a stream as one execution of its rows, up to its last answer', () => {
    const bench = decoupledBench();

    const { call } = bench.ask({ request: aRequest({ rows: 3 }) });
    for (let i = 0; i < 4; i++) {
      bench.clock.advance(5);
      bench.streamAt('a:1').answer({}, i === 3);
    }

    const { statistics, endpoints } = bench;
    expect([statistics.executionCount, statistics.inferenceCount]).toEqual([1, 3]);
    expect(call.timings).toMatchObject({ inferMs: 20, batchSize: 3 });
    expect(endpoints.all[0]!.figures).toMatchObject({ sent: 1, answered: 1, rows: 3, totalMs: 20 });
  });

  it('takes turns, and leaves out an endpoint whose streams break', () => {
    const bench = decoupledBench(['a:1', 'b:1']);
    const [a, b] = [bench.at('a:1'), bench.at('b:1')];

    for (let i = 0; i < 6; i++) bench.ask();
    expect([a.streams.length, b.streams.length]).toEqual([3, 3]);
    for (const stream of a.streams) stream.error('broken', 13);
    for (const stream of b.streams) stream.error('wrong', 3);
    for (let i = 0; i < 4; i++) bench.ask();

    expect(bench.endpoints.all.map((endpoint) => endpoint.state())).toEqual(['EJECTED', 'SERVING']);
    expect([a.streams.length, b.streams.length]).toEqual([3, 7]);
  });
});

describe('the end of a stream', () => {
  it('is waited for, and then brought about', () => {
    const bench = decoupledBench();

    bench.ask();
    bench.streamAt('a:1').final();
    bench.clock.advance(4_999);
    expect(bench.streamAt('a:1').isCancelled).toBe(false);
    bench.clock.advance(2);

    expect(bench.streamAt('a:1').isCancelled).toBe(true);
    expect(bench.clock.timerCount).toBe(0);
  });

  it('is not brought about where it comes', () => {
    const bench = decoupledBench();

    bench.ask();
    bench.streamAt('a:1').final();
    bench.streamAt('a:1').end();

    expect(bench.clock.timerCount).toBe(0);
  });

  it('is brought about at once where an endpoint goes on after its last answer', () => {
    const bench = decoupledBench();

    const { reply } = bench.ask();
    bench.streamAt('a:1').final();
    bench.streamAt('a:1').answer();

    expect([reply.responses, reply.ends]).toEqual([[], [undefined]]);
    expect(bench.streamAt('a:1').isCancelled).toBe(true);
  });
});

describe('a reader of a decoupled remote model', () => {
  it('who is behind stops the stream, until he is ready', () => {
    const bench = decoupledBench();
    const pace = new FakePace();

    const { reply } = bench.ask({ pace });
    const stream = bench.streamAt('a:1');
    stream.answer();
    expect(stream.isPaused).toBe(false);
    pace.isBehind = true;
    stream.answer();
    expect([stream.isPaused, pace.listeners.length]).toEqual([true, 1]);
    // What was on its way.
    stream.answer();
    expect([reply.responses.length, pace.listeners.length]).toEqual([3, 1]);
    pace.catchUp();

    expect(stream.isPaused).toBe(false);
  });

  it('who has gone does not set it going again', () => {
    const bench = decoupledBench();
    const pace = new FakePace();
    pace.isBehind = true;

    const { call } = bench.ask({ pace });
    bench.streamAt('a:1').answer();
    call.cancel();
    pace.catchUp();

    expect(bench.streamAt('a:1')).toMatchObject({ isPaused: true, isCancelled: true });
  });

  it('has his own time: it counts neither as the endpoint’s nor as its fault', () => {
    const bench = decoupledBench(['a:1', 'b:1']);
    const pace = new FakePace();

    for (let i = 0; i < 3; i++) {
      const { call } = bench.ask({ pace, tried: ['m a:1'], limit: bench.clock.now() + 50 });
      pace.isBehind = true;
      bench.streamAt('b:1').answer();
      bench.clock.advance(50);
      call.cancel();
      pace.isBehind = false;
    }
    const [, held] = bench.endpoints.all;
    expect(held!.state()).toBe('SERVING');
    bench.ask({ pace, tried: ['m a:1'] });
    bench.clock.advance(1);
    pace.isBehind = true;
    bench.streamAt('b:1').answer();
    bench.clock.advance(1000);
    pace.catchUp();
    bench.clock.advance(2);
    bench.streamAt('b:1').final();

    expect(held!.figures).toMatchObject({ timedOut: 3, answered: 1, totalMs: 3 });
  });

  it('is not to blame for an endpoint that falls silent', () => {
    const bench = decoupledBench(['a:1', 'b:1']);
    bench.ask({ tried: ['m a:1'] });
    bench.clock.advance(10);
    bench.streamAt('b:1').final();

    for (let i = 0; i < 3; i++) {
      const pace = new FakePace();
      const { call } = bench.ask({ pace, tried: ['m a:1'], limit: bench.clock.now() + 100 });
      pace.isBehind = true;
      bench.streamAt('b:1').answer();
      bench.clock.advance(60);
      pace.catchUp();
      bench.clock.advance(40);
      call.cancel();
    }

    expect(bench.endpoints.all[1]!.state()).toBe('EJECTED');
  });
});
