import { describe, expect, it } from 'vitest';
import { NO_DEADLINE } from '../core/deadline.js';
import { RuntimeError } from '../core/errors.js';
import { askModel, aMessage, aResponse, aRoad, replyTo } from '../testing/ask-model.js';
import { aTensor, lengthPrefixed, rawTensor } from '../testing/build.js';
import { FakeCatalog, aServedModel } from '../testing/fake-catalog.js';
import { FakeUnaryCall } from '../testing/fake-grpc-call.js';
import { GRPC } from './grpc-status.js';
import { modelInferMethod } from './model-infer.js';

function texts(raw: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < raw.length; at += 4 + raw.readUInt32LE(at))
    found.push(raw.toString('utf8', at + 4, at + 4 + raw.readUInt32LE(at)));
  return found;
}

const y = aTensor('OUTPUT0', [1, 3], [0.1, 0.7, 0.2]);
const CLASSES = { classification: { int64_param: 2 } };

describe('ModelInfer', () => {
  it('has the path of the protocol', () => {
    expect(modelInferMethod(aRoad(new FakeCatalog())).path).toBe(
      '/inference.GRPCInferenceService/ModelInfer',
    );
  });

  it('answers with the outputs of the model, under the id of the request', () => {
    const asked = askModel(aMessage());

    asked.model.respond(y);
    asked.model.end();

    expect(replyTo(asked)).toMatchObject({
      model_name: 'm',
      model_version: '1',
      id: 'r1',
      outputs: [{ name: 'OUTPUT0', datatype: 'FP32', shape: [1, 3] }],
      raw_output_contents: [Buffer.from(y.data)],
    });
  });

  it('asks the version that is named, with the request as it came', () => {
    const { catalog, model } = askModel(
      aMessage({ model_version: '3', outputs: [{ name: 'OUTPUT0' }] }),
      { serving: aServedModel({ version: 3 }) },
    );

    expect(catalog.acquired).toEqual(['m:3']);
    expect(model.request).toMatchObject({
      modelName: 'm',
      id: 'r1',
      inputs: [{ name: 'INPUT0', dataType: 'FP32', shape: [1, 2] }],
      outputs: [{ name: 'OUTPUT0', classCount: 0 }],
    });
    expect([...model.request!.inputs[0]!.data]).toEqual(Array(8).fill(1));
  });

  it('hands the deadline of the caller on', () => {
    expect(askModel(aMessage(), { options: { deadline: 1234.5 } }).model.call!.deadline).toBe(
      1234.5,
    );
    expect(askModel(aMessage()).model.call!.deadline).toBe(NO_DEADLINE);
  });

  it('counts the time from the moment in which the message came', () => {
    const { model, clock } = askModel(aMessage());

    expect(model.call!.timings.receivedAt).toBe(clock.now());
  });

  it('says nothing and holds the model until the model has ended', () => {
    const { call, catalog, model } = askModel(aMessage());
    expect([call.answers, catalog.released]).toEqual([0, 0]);

    model.respond(y);
    expect([call.answers, catalog.released]).toEqual([0, 0]);

    model.end();
    expect([call.answers, catalog.released]).toEqual([1, 1]);
  });

  it('releases the model only when the answer has left', () => {
    const { call, catalog, model } = askModel(aMessage());
    let releasedAtReply: number | undefined;
    call.reply = () => void (releasedAtReply = catalog.released);

    model.respond(y);
    model.end();

    expect([releasedAtReply, catalog.released]).toEqual([0, 1]);
  });

  it('takes an answer that comes before infer has returned', () => {
    const catalog = new FakeCatalog().serve(aServedModel(), {
      infer: (_request, _call, reply) => {
        reply.response(aResponse([y]));
        reply.end();
      },
    });
    const call = new FakeUnaryCall(aMessage());
    const method = modelInferMethod(aRoad(catalog));

    if (method.kind === 'unary') method.handle(call);

    expect([call.replies.length, call.failures.length, catalog.released]).toEqual([1, 0, 1]);
  });

  it('tells the model that the caller has gone', () => {
    const { call, model } = askModel(aMessage());
    expect(model.call!.cancelled).toBe(false);

    call.cancel();

    expect(model.call!.cancelled).toBe(true);
    expect(call.answers).toBe(0);
  });

  it('answers for requests that are under way at once each with its own', () => {
    const one = askModel(aMessage({ id: 'one' }));
    const two = askModel(aMessage({ id: 'two' }));

    two.model.respond(y);
    two.model.end();
    one.model.respond(aTensor('OUTPUT0', [1, 1], [5]));
    one.model.end();

    expect(replyTo(one)).toMatchObject({ id: 'one', outputs: [{ shape: [1, 1] }] });
    expect(replyTo(two)).toMatchObject({ id: 'two', outputs: [{ shape: [1, 3] }] });
  });
});

describe('ModelInfer refuses', () => {
  const DEFECT = { raw_input_contents: [] };
  const noData = "unable to find data for input tensor 'INPUT0' for model 'm' in request.";

  it('what is no message, without looking for a model', () => {
    const { call, catalog } = askModel(Buffer.of(0x0a, 5, 0x6d));

    expect(call.failures).toEqual([
      {
        code: GRPC.INVALID_ARGUMENT,
        message:
          'request is not a valid protobuf message: message ends, 5 bytes were announced at byte 2',
      },
    ]);
    expect([call.answers, catalog.acquired, catalog.released]).toEqual([1, [], 0]);
  });

  it('a decoupled model, which may answer more than once, whatever else is wrong', () => {
    const serving = aServedModel({ decoupled: true });
    const { call, catalog, model } = askModel(aMessage(DEFECT), { serving });

    expect(call.failures).toEqual([
      {
        code: GRPC.UNIMPLEMENTED,
        message: "ModelInfer RPC doesn't support models with decoupled transaction policy",
      },
    ]);
    expect([call.answers, catalog.released, model.request]).toEqual([1, 1, undefined]);
  });

  it('an unknown model before it complains of what is wrong with the request', () => {
    const { call, catalog, model } = askModel(aMessage({ model_name: 'nosuch', ...DEFECT }));

    expect(call.failures).toEqual([
      { code: GRPC.NOT_FOUND, message: "Request for unknown model: 'nosuch' is not found" },
    ]);
    expect([call.answers, catalog.released, model.request]).toEqual([1, 0, undefined]);
  });

  it('what is wrong with the request when its model has been found, without asking the model', () => {
    const { call, catalog, model } = askModel(aMessage(DEFECT));

    expect(call.failures).toEqual([{ code: GRPC.INVALID_ARGUMENT, message: noData }]);
    expect([call.answers, catalog.released, model.request]).toEqual([1, 1, undefined]);
  });

  it('with the status and the text of what the model says', () => {
    const { call, catalog, model } = askModel(aMessage());

    model.end(new RuntimeError('QUEUE_FULL', '[request id: r1] Exceeds maximum queue size'));

    expect(call.failures).toEqual([
      { code: GRPC.UNAVAILABLE, message: '[request id: r1] Exceeds maximum queue size' },
    ]);
    expect([call.answers, catalog.released]).toEqual([1, 1]);
  });

  it('with the error of a model that fails after it has responded, and nothing else', () => {
    const { call, model, catalog } = askModel(aMessage());

    model.respond(y);
    model.end(new RuntimeError('BACKEND_FAILED', 'no'));

    expect([call.replies.length, call.failures]).toEqual([
      0,
      [{ code: GRPC.INTERNAL, message: 'no' }],
    ]);
    expect(catalog.released).toBe(1);
  });

  it('a call that was cancelled with the CANCELLED of the model', () => {
    const { call, catalog, model } = askModel(aMessage());

    call.cancel();
    model.end(new RuntimeError('CANCELLED', 'Request was cancelled'));

    expect(call.failures.map(({ code }) => code)).toEqual([GRPC.CANCELLED]);
    expect([call.answers, catalog.released]).toEqual([1, 1]);
  });

  it('a response that gRPC cannot carry, when the model has ended', () => {
    const { call, catalog, model } = askModel(aMessage());
    const data = { length: 2 ** 31, byteLength: 2 ** 31 } as Uint8Array;

    model.respond(rawTensor('OUTPUT0', 'UINT8', { shape: [2 ** 31], data }));
    expect(call.answers).toBe(0);
    model.end();

    expect(call.failures).toHaveLength(1);
    expect(call.failures[0]!.code).toBe(GRPC.INVALID_ARGUMENT);
    expect(call.failures[0]!.message).toContain("exceeds gRPC's byte size limit 2147483647.");
    expect([call.answers, catalog.released]).toEqual([1, 1]);
  });

  it('a model that ends without a response, with a text that says it is a bug', () => {
    const { call, model } = askModel(aMessage());

    model.end();

    expect(call.failures).toEqual([
      { code: GRPC.INTERNAL, message: "model 'm' ended without a response. This is a bug." },
    ]);
  });

  it('a model that ends without a response, and releases it', () => {
    const { call, catalog, model } = askModel(aMessage());

    model.end();

    expect(call.failures.map(({ code }) => code)).toEqual([GRPC.INTERNAL]);
    expect([call.answers, catalog.released]).toEqual([1, 1]);
  });
});

describe('ModelInfer with classification', () => {
  const serving = aServedModel({ labels: new Map([['OUTPUT0', ['zero', 'one']]]) });
  const z = aTensor('OUTPUT1', [1, 1], [4]);

  it('sends the best classes of the outputs for which they are wanted, the others as they are', () => {
    const outputs = [{ name: 'OUTPUT1' }, { name: 'OUTPUT0', parameters: CLASSES }];
    const asked = askModel(aMessage({ outputs }), { serving });

    asked.model.respond(y, z);
    asked.model.end();

    const reply = replyTo(asked);
    expect(reply['outputs']).toMatchObject([
      { name: 'OUTPUT0', datatype: 'BYTES', shape: [1, 2] },
      { name: 'OUTPUT1', datatype: 'FP32', shape: [1, 1] },
    ]);
    const [classes, values] = reply['raw_output_contents'] as [Buffer, Buffer];
    expect(texts(classes)).toEqual(['0.700000:1:one', '0.200000:2']);
    expect(values).toEqual(Buffer.from(z.data));
  });

  it('writes no label where the output has no label file', () => {
    const asked = askModel(aMessage({ outputs: [{ name: 'OUTPUT0', parameters: CLASSES }] }));

    asked.model.respond(y);
    asked.model.end();

    const [classes] = replyTo(asked)['raw_output_contents'] as [Buffer];
    expect(texts(classes)).toEqual(['0.700000:1', '0.200000:2']);
  });

  it('takes the whole tensor for one row where the model has no batches', () => {
    const outputs = [{ name: 'OUTPUT0', parameters: CLASSES }];
    const asked = askModel(aMessage({ outputs }), { serving: aServedModel({ batched: false }) });

    asked.model.respond(aTensor('OUTPUT0', [2, 2], [1, 4, 3, 2]));
    asked.model.end();

    expect(replyTo(asked)['outputs']).toMatchObject([{ shape: [2] }]);
  });

  it('refuses a type without an order, when the model has ended', () => {
    const outputs = [{ name: 'OUTPUT0', parameters: CLASSES }];
    const { call, catalog, model } = askModel(aMessage({ outputs }), { serving });

    model.respond(rawTensor('OUTPUT0', 'BYTES', { shape: [1, 1], data: lengthPrefixed(['a']) }));
    model.end();

    expect(call.failures).toEqual([
      {
        code: GRPC.INVALID_ARGUMENT,
        message: "class result not available for output due to unsupported type 'BYTES'",
      },
    ]);
    expect([call.answers, catalog.released]).toEqual([1, 1]);
  });

  it('a model that throws after its answer, and releases it once', () => {
    const catalog = new FakeCatalog().serve(aServedModel(), {
      infer: (_request, _call, reply) => {
        reply.end(new RuntimeError('QUEUE_FULL', 'full'));
        throw new Error('out of order');
      },
    });
    const call = new FakeUnaryCall(aMessage());
    const method = modelInferMethod(aRoad(catalog));

    expect(() => (method.handle as (call: FakeUnaryCall) => void)(call)).toThrow('out of order');
    expect(call.failures).toEqual([{ code: GRPC.UNAVAILABLE, message: 'full' }]);
    expect(catalog.released).toBe(1);
  });

  it('a model that throws, and releases it', () => {
    const catalog = new FakeCatalog().serve(aServedModel(), {
      infer: () => {
        throw new Error('out of order');
      },
    });
    const call = new FakeUnaryCall(aMessage());
    const method = modelInferMethod(aRoad(catalog));

    (method.handle as (call: FakeUnaryCall) => void)(call);

    expect(call.failures).toEqual([{ code: GRPC.INTERNAL, message: 'out of order' }]);
    expect(catalog.released).toBe(1);
  });
});
