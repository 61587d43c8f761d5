import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { FakeUnaryCall } from '../testing/fake-grpc-call.js';
import { GRPC } from './grpc-status.js';
import { messageCodec, type Message } from './message-codec.js';
import { unaryMethod } from './unary-method.js';

const TYPES = {
  request: 'inference.ModelReadyRequest',
  response: 'inference.ModelReadyResponse',
};
const requests = messageCodec(TYPES.request);
const responses = messageCodec(TYPES.response);

/** Calls a method that answers so, and waits for its end. */
async function ask(
  answer: Parameters<typeof unaryMethod>[2],
  call = new FakeUnaryCall(requests.encode({ name: 'm' })),
): Promise<FakeUnaryCall> {
  const method = unaryMethod('/a.B/C', TYPES, answer);
  method.handle(call);
  await call.ended;
  await Promise.resolve();
  expect(call.answers).toBe(1);
  return call;
}

describe('unaryMethod', () => {
  it('hands over the request, and sends the answer', async () => {
    let asked: Message = {};

    const { replies } = await ask((request) => {
      asked = request;
      return { ready: true };
    });

    expect(asked).toEqual({ name: 'm', version: '' });
    expect(replies.map((reply) => responses.decode(reply))).toEqual([{ ready: true }]);
  });

  it('waits for an answer that is promised', async () => {
    const { replies } = await ask(() => Promise.resolve({ ready: true }));

    expect(replies.map((reply) => responses.decode(reply))).toEqual([{ ready: true }]);
  });

  it('answers without a call, and rejects with the error itself', async () => {
    const method = unaryMethod('/s/M', TYPES, ({ name }) => {
      if (name === 'x') throw new RuntimeError('NOT_FOUND', 'none');
      return { ready: true };
    });
    const asked = (name: string): Promise<Buffer> => method.answer(requests.encode({ name }));

    expect(responses.decode(await asked('m'))).toEqual({ ready: true });
    await expect(asked('x')).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'none' });
  });

  it.each([
    [
      'throws',
      () => {
        throw new RuntimeError('NOT_FOUND', 'none');
      },
    ],
    ['rejects', () => Promise.reject(new RuntimeError('NOT_FOUND', 'none'))],
  ])('fails with what the answer %s', async (_how, answer) => {
    expect((await ask(answer)).failures).toEqual([{ code: GRPC.NOT_FOUND, message: 'none' }]);
  });

  it('takes an error of another kind for its own fault', async () => {
    const { failures } = await ask(() => {
      throw new TypeError('x is not a function');
    });

    expect(failures).toEqual([{ code: GRPC.INTERNAL, message: 'x is not a function' }]);
  });

  it('asks nobody when the request is no message', async () => {
    let asked = false;

    const { failures } = await ask(
      () => {
        asked = true;
        return {};
      },
      new FakeUnaryCall(Buffer.of(0x0a)),
    );

    expect(failures).toMatchObject([{ code: GRPC.INVALID_ARGUMENT }]);
    expect(asked).toBe(false);
  });

  it('fails where the answer is no such message', async () => {
    const types = { ...TYPES, response: 'inference.ServerMetadataResponse' };
    const method = unaryMethod('/a.B/C', types, () => ({ extensions: 'no list' }));
    const call = new FakeUnaryCall();

    method.handle(call);
    await call.ended;

    expect(call.failures).toMatchObject([{ code: GRPC.INTERNAL }]);
    expect(call.answers).toBe(1);
  });
});
