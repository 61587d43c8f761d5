import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import type { FinishedRequest } from '../core/request-observer.js';
import { aMessage } from '../testing/ask-model.js';
import { aTensor, rawTensor } from '../testing/build.js';
import { openStream, sentOn, storyOf, type OpenStream } from '../testing/open-stream.js';
import { GRPC } from './grpc-status.js';

const STRICT = { metadata: { triton_grpc_error: 'true' } };
const failed = new RuntimeError('BACKEND_FAILED', 'no');

/** Sends a request for model m under each id. */
function ask({ call }: OpenStream, ...ids: string[]): void {
  for (const id of ids) call.write(aMessage({ id }));
}

describe('ModelStreamInfer', () => {
  it('answers with the outputs of the model and says that nothing more comes', () => {
    const stream = openStream();
    ask(stream, 'a');

    stream.model.at('a').answer([3, 4]);

    expect(sentOn(stream)).toMatchObject([
      {
        error_message: '',
        infer_response: {
          model_name: 'm',
          model_version: '1',
          id: 'a',
          parameters: { triton_final_response: { bool_param: true } },
          outputs: [{ name: 'OUTPUT0', datatype: 'FP32', shape: [1, 2] }],
          raw_output_contents: [Buffer.from(Float32Array.of(3, 4).buffer)],
        },
      },
    ]);
  });

  it('asks models side by side, and answers in the order of the requests', () => {
    const stream = openStream();
    ask(stream, 'a', 'b', 'c');

    stream.model.at('c').answer();
    stream.model.at('b').answer();
    expect(storyOf(stream)).toEqual([]);
    stream.model.at('a').answer();

    expect(storyOf(stream)).toEqual(['a', 'b', 'c']);
  });

  it('tells of errors in their turn, and goes on', () => {
    const stream = openStream();
    ask(stream, 'a', 'b');
    stream.call.write(aMessage({ id: 'c', model_name: 'nosuch' }));
    ask(stream, 'd');

    stream.model.at('d').answer();
    stream.model.at('b').end(failed);
    stream.model.at('a').answer();

    expect(storyOf(stream)).toEqual([
      'a',
      'b: no',
      "c: Request for unknown model: 'nosuch' is not found",
      'd',
    ]);
    expect([stream.call.finished, stream.call.failures]).toEqual([false, []]);
  });

  it('answers what is no request, and goes on', () => {
    const stream = openStream();

    stream.call.write(Buffer.of(0x0a, 9));
    ask(stream, 'b');
    stream.model.at('b').answer();

    expect(storyOf(stream)).toEqual([
      expect.stringMatching(/^: request is not a valid protobuf message/) as string,
      'b',
    ]);
  });

  it('tells of a response that gRPC cannot carry', () => {
    const stream = openStream();
    ask(stream, 'a');
    const data = { length: 2 ** 31 - 60, byteLength: 2 ** 31 - 60 } as Uint8Array;

    stream.model.at('a').respond(rawTensor('OUTPUT0', 'UINT8', { shape: [data.length], data }));
    stream.model.at('a').end();

    expect(storyOf(stream)[0]).toContain("exceeds gRPC's byte size limit 2147483647.");
  });

  it('says that a model which ends without a response has a bug', () => {
    const stream = openStream();
    ask(stream, 'a');

    stream.model.at('a').end();

    expect(storyOf(stream)).toEqual(["a: model 'm' ended without a response. This is a bug."]);
  });

  it('gives its deadline to every request, and counts the time of each from its own message', () => {
    const stream = openStream({ deadline: 1234.5 });

    ask(stream, 'a');
    stream.clock.advance(7);
    ask(stream, 'b');

    const [a, b] = stream.model.asked.map(({ call }) => call);
    expect([a!.deadline, b!.deadline]).toEqual([1234.5, 1234.5]);
    expect(b!.timings.receivedAt - a!.timings.receivedAt).toBe(7);
  });

  it('releases each model when it has answered, and tells who observes', () => {
    const seen: FinishedRequest[] = [];
    const stream = openStream({}, { requestFinished: (request) => void seen.push(request) });
    ask(stream, 'a', 'b');

    stream.model.at('b').answer();
    expect(stream.catalog.released).toBe(1);
    stream.model.at('a').end(failed);

    expect(stream.catalog.released).toBe(2);
    expect(seen.map(({ id, error }) => [id, error])).toEqual([
      ['b', undefined],
      ['a', failed],
    ]);
  });

  it('survives a model that throws after its end, and says so', () => {
    const stream = openStream();
    stream.model.infer = (_request, _call, reply) => {
      reply.end(failed);
      throw new Error('out of order');
    };

    ask(stream, 'a');

    expect(stream.call.failures).toEqual([{ code: GRPC.INTERNAL, message: 'out of order' }]);
  });
});

describe('the end of ModelStreamInfer', () => {
  it('comes at once when the caller has no more to send and all is answered', () => {
    const stream = openStream();
    ask(stream, 'a');
    stream.model.at('a').answer();
    expect(stream.call.finished).toBe(false);

    stream.call.halfClose();

    expect([stream.call.finished, stream.health.listeners]).toEqual([true, 0]);
  });

  it('comes with the last answer after the caller has sent all', () => {
    const stream = openStream();
    ask(stream, 'a', 'b');

    stream.call.halfClose();
    stream.model.at('b').answer();
    expect(stream.call.finished).toBe(false);
    stream.model.at('a').end(failed);

    expect(storyOf(stream)).toEqual(['a: no', 'b']);
    expect([stream.call.finished, stream.call.failures]).toEqual([true, []]);
  });

  it('cancels what is under way when the caller goes, and says nothing more', () => {
    const stream = openStream();
    ask(stream, 'a', 'b', 'c');
    stream.model.at('b').answer();

    stream.call.cancel();
    stream.model.at('a').end(new RuntimeError('CANCELLED', 'Request was cancelled'));
    stream.model.at('c').answer();
    stream.call.halfClose();

    expect(stream.model.asked.map(({ call }) => call.cancelled)).toEqual([true, false, true]);
    expect([stream.call.sent, stream.call.finished, stream.call.failures]).toEqual([[], false, []]);
    expect([stream.catalog.released, stream.health.listeners]).toEqual([3, 0]);
  });

  it('tells an idle caller to go elsewhere when the server drains', () => {
    const stream = openStream();
    ask(stream, 'a');
    stream.model.at('a').answer();

    stream.health.endStreams();

    expect(stream.call.failures).toEqual([
      {
        code: GRPC.UNAVAILABLE,
        message: 'GRPC server is shutting down and has stopped accepting new requests.',
      },
    ]);
    expect(stream.health.listeners).toBe(0);
  });

  it('answers what is under way when the server drains, and reads no more', () => {
    const stream = openStream();
    ask(stream, 'a');

    stream.health.endStreams();
    ask(stream, 'b');
    expect([stream.model.asked.length, stream.call.failures]).toEqual([1, []]);
    stream.model.at('a').answer();

    expect(storyOf(stream)).toEqual(['a']);
    expect(stream.call.failures.map(({ code }) => code)).toEqual([GRPC.UNAVAILABLE]);
  });

  it('is a good one when the caller had sent all before the server drained', () => {
    const stream = openStream();
    ask(stream, 'a');
    stream.call.halfClose();

    stream.health.endStreams();
    stream.model.at('a').answer();

    expect([stream.call.finished, stream.call.failures]).toEqual([true, []]);
  });
});

describe('ModelStreamInfer with triton_grpc_error', () => {
  it('ends with the status of the first request that fails on its way, after the answers before it', () => {
    const stream = openStream(STRICT);
    ask(stream, 'a', 'b', 'c', 'd');

    stream.model.at('c').answer();
    stream.model.at('b').end(failed);
    expect(stream.call.failures).toEqual([]);
    stream.model.at('a').answer();

    expect(storyOf(stream)).toEqual(['a']);
    expect(stream.call.failures).toEqual([{ code: GRPC.INTERNAL, message: 'no' }]);
    expect(stream.health.listeners).toBe(0);
  });

  it('cancels what came later, and drops what is answered and sent after that', () => {
    const stream = openStream(STRICT);
    ask(stream, 'a', 'b');

    stream.model.at('a').end(failed);
    expect(stream.model.at('b').call.cancelled).toBe(true);
    stream.model.at('b').end(failed);
    ask(stream, 'c');
    stream.call.halfClose();
    stream.call.cancel();

    expect([stream.call.sent.length, stream.call.failures.length]).toEqual([0, 1]);
    expect([stream.model.asked.length, stream.catalog.released]).toEqual([2, 2]);
  });

  it('goes on after requests that are refused', () => {
    const stream = openStream(STRICT);
    stream.model.refusals.set('b', new RuntimeError('INVALID_ARGUMENT', 'wrong type'));

    stream.call.write(aMessage({ id: 'a', model_name: 'nosuch' }));
    ask(stream, 'b', 'c');
    stream.model.at('c').answer();

    expect(storyOf(stream).slice(1)).toEqual(['b: wrong type', 'c']);
    expect(stream.call.failures).toEqual([]);
  });

  it('needs exactly that value', () => {
    const stream = openStream({ metadata: { triton_grpc_error: 'True' } });
    ask(stream, 'a');

    stream.model.at('a').end(failed);

    expect(storyOf(stream)).toEqual(['a: no']);
  });
});

describe('ModelStreamInfer for those who want to know what kind of error it is', () => {
  it.each<[Record<string, string>, Record<string, unknown> | undefined]>([
    [{ inferd_error_status: 'true' }, { int64_param: GRPC.INTERNAL }],
    [{ inferd_error_status: 'no' }, undefined],
    [{}, undefined],
  ])('with the headers %j says its status: %j', (metadata, status) => {
    const stream = openStream({ metadata });
    ask(stream, 'a');

    stream.model.at('a').end(failed);

    const [{ error_message, infer_response }] = sentOn(stream) as [Record<string, unknown>];
    expect([error_message, infer_response]).toMatchObject(['no', { id: 'a' }]);
    const { parameters } = infer_response as { parameters: Record<string, unknown> };
    if (status) expect(parameters['inferd_error_status']).toMatchObject(status);
    else expect(parameters).toEqual({});
  });
});

describe('ModelStreamInfer with a decoupled model', () => {
  const EMPTY_FINAL = { triton_enable_empty_final_response: { bool_param: true } };
  const y = aTensor('OUTPUT0', [1, 1], [1]);

  it('sends each response as it comes, past requests that wait for their turn', () => {
    const stream = openStream();
    ask(stream, 'a');
    stream.call.write(aMessage({ id: 'd', model_name: 'many' }));
    ask(stream, 'b');

    stream.model.at('b').answer();
    stream.decoupled.at('d').respond(y);
    stream.decoupled.at('d').respond(y);
    stream.decoupled.at('d').end();
    stream.model.at('a').answer();

    expect(storyOf(stream)).toEqual(['d…', 'd…', 'a', 'b']);
  });

  it('says that nothing more comes to those who have asked for it', () => {
    const stream = openStream();
    stream.call.write(aMessage({ id: 'd', model_name: 'many', parameters: EMPTY_FINAL }));

    stream.decoupled.at('d').respond(y);
    stream.decoupled.at('d').end();
    stream.call.halfClose();

    expect(storyOf(stream)).toEqual(['d…', 'd']);
    expect(sentOn(stream)[1]).toMatchObject({
      infer_response: { model_name: 'many', model_version: '1', outputs: [] },
    });
    expect(stream.call.finished).toBe(true);
  });

  it('holds the stream open until the model has ended', () => {
    const stream = openStream();
    stream.call.write(aMessage({ id: 'd', model_name: 'many' }));

    stream.call.halfClose();
    expect(stream.call.finished).toBe(false);
    stream.decoupled.at('d').end();

    expect([stream.call.sent, stream.call.finished]).toEqual([[], true]);
  });

  it('tells of an error after responses', () => {
    const stream = openStream();
    stream.call.write(aMessage({ id: 'd', model_name: 'many' }));

    stream.decoupled.at('d').respond(y);
    stream.decoupled.at('d').end(failed);

    expect(storyOf(stream)).toEqual(['d…', 'd: no']);
  });

  it('sends nothing more of it when the caller has gone', () => {
    const stream = openStream();
    stream.call.write(aMessage({ id: 'd', model_name: 'many' }));

    stream.call.cancel();
    stream.decoupled.at('d').respond(y);
    stream.decoupled.at('d').end();

    expect([stream.call.sent, stream.catalog.released]).toEqual([[], 1]);
  });
});
